"""Are the lines of banks' files taken in once each, whichever files tell of them in what order, and however many they are?"""

from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
from msgspec.structs import replace

from laddbok.billing.examples import PAYMENT
from laddbok.model.payment import Payment
from laddbok.store.bank_import import portions
from laddbok.store.embedded import Dsn
from tests.store.test_payments import on, taken_in


def entry(number: int, amount: str, *, name: str = "", account: str = "", reference: str = "", text: str = "") -> str:
    """One line of an account that holds one payment."""
    return (
        f'<Ntry><Amt Ccy="SEK">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>2026-12-04</Dt></BookgDt><AcctSvcrRef>A{number}</AcctSvcrRef><NtryDtls><TxDtls><RltdPties>"
        + (f"<Dbtr><Nm>{name}</Nm></Dbtr>" if name else "")
        + (f"<DbtrAcct><Id><Othr><Id>{account}</Id></Othr></Id></DbtrAcct>" if account else "")
        + "</RltdPties><RmtInf>"
        + (f"<Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd>" if reference else "")
        + (f"<Ustrd>{text}</Ustrd>" if text else "")
        + "</RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def file_of(entries: Sequence[str], name: str = "F", kind: str = "camt.054") -> bytes:
    """A bank's file of these lines."""
    outer, inner = {"camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"), "camt.053": ("BkToCstmrStmt", "Stmt")}[kind]
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{kind}.001.02"><{outer}><GrpHdr><MsgId>{name}</MsgId></GrpHdr><{inner}>'
        f"<Acct><Id><Othr><Id>991-2346</Id></Othr></Id></Acct>{''.join(entries)}</{inner}></{outer}></Document>"
    ).encode()


ONE_AFTER_THE_OTHER = (
    entry(1, "1000.00", account="1", reference="1000000107"),
    entry(2, "2718.61", account="1"),
    entry(3, "1.00", account="2", reference="1000000107"),
    entry(4, "500.00", name="kund 3"),
    entry(5, "500.00", name="Kund 3"),
    entry(6, "500.00", account="4", text="Faktura 10000005"),
    entry(7, "1250.00", account="4"),
    entry(8, "2281.39", name="Okänd", text="10000002"),
    entry(9, "77.00", account="9", reference="123"),
)
"""Each depends on what those before it paid, and on who they are from."""


def test_payments_that_come_together_go_where_they_would_go_one_after_the_other(
    new_database: Callable[[], Dsn],
) -> None:
    went: list[list[tuple[Any, ...]]] = []

    async def parts(connection: asyncpg.Connection) -> None:
        rows = await connection.fetch(
            """SELECT p.reference, a.number, a.kind, a.amount, a.invoice_id, a.payer_id, a.reason
            FROM payment AS p JOIN payment_allocation AS a ON a.payment_id = p.id ORDER BY p.reference, a.number"""
        )
        went.append([tuple(row) for row in rows])

    async def together(connection: asyncpg.Connection, tenant: int) -> None:
        assert (await taken_in(connection, tenant, file_of(ONE_AFTER_THE_OTHER))).payments == len(ONE_AFTER_THE_OTHER)
        await parts(connection)

    async def one_by_one(connection: asyncpg.Connection, tenant: int) -> None:
        for number, each in enumerate(ONE_AFTER_THE_OTHER):
            assert (await taken_in(connection, tenant, file_of([each], f"F{number}"))).payments == 1
        await parts(connection)

    on(new_database(), together)
    on(new_database(), one_by_one)
    assert went[0] == went[1]
    assert {row[2] for row in went[0]} == {"invoice", "balance", "suspense"}
    assert [row[6] for row in went[0] if row[2] == "invoice"].count("amount_and_payer") == 3


def test_no_two_payments_of_one_account_are_matched_together() -> None:
    def paid(account: str | None) -> Payment:
        return replace(PAYMENT, payer_account=account)

    many = [paid(None)] * 700 + [paid("1"), paid("2"), paid("1"), paid("3")]
    assert [len(each) for each in portions(many)] == [500, 202, 2]
