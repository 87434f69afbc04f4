"""Are the lines of banks' files taken in once each, whichever files tell of them in what order, and however many they are?"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from laddbok.billing.examples import PAYMENT
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.payment import AllocationKind, Payment
from laddbok.store.bank_import import portions
from laddbok.store.embedded import Dsn
from laddbok.store.payment_moves import Move, allocate
from laddbok.store.reconcile import reconcile
from tests.store.test_payments import DAY, NOW, books, on, owed, taken_in


def entry(
    number: int | str, amount: str, *, name: str = "", account: str = "", reference: str = "", text: str = "", ids: str = "",
    day: str = "2026-12-04",
) -> str:  # fmt: skip
    """One line of an account that holds one payment. Args: ids, its references beside the line's own."""
    return (
        f'<Ntry><Amt Ccy="SEK">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>A{number}</AcctSvcrRef><NtryDtls><TxDtls>"
        + (f"<Refs>{ids}</Refs>" if ids else "")
        + "<RltdPties>"
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


# ------------------------------------------------------------------------------------------------ told twice
OCR = "1000000305"
"""Of invoice 10000003, on which 500.00 is owed."""
E2E = "<EndToEndId>LB-7731</EndToEndId>"
NOTIFIED = file_of([entry("n1", "500.00", reference=OCR, ids=E2E)], "N")


def stated(*entries: str, name: str = "S") -> bytes:
    return file_of(entries, name, "camt.053")


@pytest.mark.parametrize(
    "line",
    [
        entry("s1", "500.00", ids=E2E),
        entry("s1", "500.00", ids=E2E, day="2026-12-07"),
        entry("s1", "500.00", ids="<AcctSvcrRef>An1</AcctSvcrRef>"),
        entry("s1", "500.00", ids=E2E, reference=OCR),
    ],
)
@pytest.mark.parametrize("is_stated_first", [True, False])
def test_B55_a_payment_that_statement_and_notification_tell_under_other_references_is_booked_once(
    new_database: Callable[[], Dsn], line: str, is_stated_first: bool
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        files = [stated(line), NOTIFIED] if is_stated_first else [NOTIFIED, stated(line)]
        first, second = [await taken_in(connection, tenant, each) for each in files]
        assert (first.entries, second.entries, second.known, second.payments) == (1, 0, 1, 0)
        again = await taken_in(connection, tenant, stated(line, name="S2"))
        assert (again.entries, again.known) == (0, 1)
        assert (await books(connection))["1930"] == Decimal("500.00")
        assert await owed(connection, tenant, 3) == [0]

    on(new_database(), work)


def test_B55_what_is_perhaps_the_same_waits_names_the_other_and_a_person_says(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, NOTIFIED)
        told = await taken_in(
            connection, tenant, stated(entry("s1", "500.00", day="2026-12-05"), entry("s2", "1250.00"))
        )
        assert (told.entries, told.known, told.payments, told.in_suspense) == (2, 0, 2, 2)
        rows = await connection.fetch(
            "SELECT p.id, p.perhaps_same_as, a.reason FROM payment AS p JOIN payment_allocation AS a ON a.payment_id = p.id "
            "ORDER BY p.amount, p.received_on"
        )
        assert [row["reason"] for row in rows] == ["reference", "perhaps_same", "no_reference"]
        assert [row["perhaps_same_as"] for row in rows] == [[], [rows[0]["id"]], []]
        with pytest.raises(Conflict, match="not held"):
            await allocate(
                connection, tenant, rows[2]["id"], Move(amount=Decimal(1), to_kind=AllocationKind.SAME), NOW, "eva"
            )
        await allocate(
            connection, tenant, rows[1]["id"], Move(amount=Decimal("500.00"), to_kind=AllocationKind.SAME), NOW, "eva"
        )
        found = await books(connection)
        assert (found["1930"], found["2999"]) == (Decimal("1750.00"), Decimal("-1250.00"))
        checks = await reconcile(connection, tenant, NOW)
        assert [each.check for each in checks if each.differences] == []
        more = await taken_in(connection, tenant, stated(entry("s3", "500.00"), name="S3"))
        assert (more.payments, more.in_suspense) == (1, 1), "the one it might be is doubted already: it is a new one"
        assert await connection.fetchval("SELECT count(*) FROM payment WHERE perhaps_same_as <> '{}'") == 1

    on(new_database(), work)


def test_B55_payments_that_say_other_things_are_two(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, NOTIFIED)
        for number, line in enumerate((
            entry("s1", "500.00", ids="<EndToEndId>LB-7732</EndToEndId>"),
            entry("s2", "500.00", reference="1000000503"),
            entry("s3", "500.01"),
            entry("s4", "500.00", ids=E2E, day="2026-12-10"),
        )):  # fmt: skip
            told = await taken_in(connection, tenant, stated(line, name=f"S{number}"))
            assert (told.entries, told.payments) == (1, 1)
        same = await taken_in(connection, tenant, file_of([entry("n2", "500.00")], "N2"))
        assert same.payments == 1
        assert await connection.fetchval("SELECT count(*) FROM payment WHERE perhaps_same_as <> '{}'") == 1
        assert (await books(connection))["1930"] == Decimal("3000.01")

    on(new_database(), work)


def test_B55_the_sum_that_a_statement_told_is_paid_out_by_a_notification_that_calls_it_otherwise(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, stated(entry("s1", "500.00", ids="<UETR>u-1</UETR>")))
        assert await owed(connection, tenant, 3) == [Decimal("500.00")]
        told = await taken_in(
            connection, tenant, file_of([entry("n1", "500.00", reference=OCR, ids="<UETR>u-1</UETR>")], "N")
        )
        assert (told.known, told.detailed, told.payments) == (1, 1, 0)
        assert await owed(connection, tenant, 3) == [0]

    on(new_database(), work)


async def waiting(connection: asyncpg.Connection) -> list[tuple[Decimal, list[Decimal]]]:
    """Payments that are perhaps others: what each came to, and what those came to."""
    rows = await connection.fetch(
        """SELECT p.amount, ARRAY(SELECT o.amount FROM payment AS o WHERE o.id = ANY(p.perhaps_same_as) ORDER BY 1) AS others
        FROM payment AS p WHERE p.perhaps_same_as <> '{}' ORDER BY p.amount"""
    )
    return [(row["amount"], row["others"]) for row in rows]


async def all_the_same(connection: asyncpg.Connection, tenant: int) -> None:
    """A person says of all that wait for it that they are the same, and what the one that they are came to."""
    rows = await connection.fetch("SELECT id, amount FROM payment WHERE perhaps_same_as <> '{}'")
    for row in rows:
        amount = Decimal("500.00") if row["amount"] == Decimal("498.00") else row["amount"]
        move = Move(amount=amount, to_kind=AllocationKind.SAME)
        await allocate(connection, tenant, row["id"], move, NOW, "eva")


@pytest.mark.parametrize("is_stated_first", [True, False])
def test_B55_a_payment_of_which_the_statement_tells_less_than_the_notification_waits(
    new_database: Callable[[], Dsn], is_stated_first: bool
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        net = stated(entry("s1", "498.00", reference=OCR, ids=E2E))
        for each in [net, NOTIFIED] if is_stated_first else [NOTIFIED, net]:
            told = await taken_in(connection, tenant, each)
        one, two = Decimal("498.00"), Decimal("500.00")
        with pytest.raises(Conflict, match="more than"):
            held = await connection.fetchval("SELECT id FROM payment WHERE perhaps_same_as <> '{}'")
            move = Move(amount=Decimal("500.01"), to_kind=AllocationKind.SAME)
            await allocate(connection, tenant, held, move, NOW, "eva")
        assert (told.payments, told.in_suspense) == (1, 1)
        assert await waiting(connection) == [(two, [one]) if is_stated_first else (one, [two])]
        await all_the_same(connection, tenant)
        found = await books(connection)
        assert found.get("2999", 0) == 0
        assert found["1930"] == one, "what reached the account"
        assert found.get("6570", 0) == (0 if is_stated_first else two - one), "what the bank kept"
        assert await owed(connection, tenant, 3) == ([two - one] if is_stated_first else [0])
        assert [each.check for each in await reconcile(connection, tenant, NOW) if each.differences] == []

    on(new_database(), work)


@pytest.mark.parametrize("is_stated_first", [True, False])
def test_B55_a_sum_that_is_several_lines_of_another_file_waits_and_names_them(
    new_database: Callable[[], Dsn], is_stated_first: bool
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        parts = [Decimal("500.00"), Decimal("1250.00")]
        lines = file_of([entry("n1", "500.00", reference=OCR), entry("n2", "1250.00"), entry("n3", "77.00")], "N")
        total = stated(entry("s1", "1750.00", day="2026-12-07"))
        for each in [total, lines] if is_stated_first else [lines, total]:
            await taken_in(connection, tenant, each)
        whole = sum(parts, Decimal(0))
        assert await waiting(connection) == (
            [(part, [whole]) for part in parts] if is_stated_first else [(whole, parts)]
        )
        await all_the_same(connection, tenant)
        assert (await books(connection))["1930"] == Decimal("1827.00")
        assert [each.check for each in await reconcile(connection, tenant, NOW) if each.differences] == []

    on(new_database(), work)


# ------------------------------------------------------------------------------------------------ what the bank keeps
def kept(
    amount: str, inside: str, *, beside: str = "", code: str = "DMCT", sign: str = "CRDT", number: str = "c1"
) -> str:
    """A line of the account of a payment with charges. Args: inside, its details; beside, what stands at the line."""
    return (
        f'<Ntry><Amt Ccy="SEK">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-12-04</Dt></BookgDt>'
        f"<AcctSvcrRef>{number}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>{code}</SubFmlyCd></Fmly></Domn>"
        f"</BkTxCd>{beside}<NtryDtls>{inside}</NtryDtls></Ntry>"
    )


def charged(amount: str, more: str = "") -> str:
    return f'<Chrgs><Rcrd><Amt Ccy="SEK">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd>{more}</Rcrd></Chrgs>'


INCLUDED, BY_ITSELF = ("<ChrgInclInd>true</ChrgInclInd>", "<ChrgInclInd>false</ChrgInclInd>")
PAID = f"<RmtInf><Strd><CdtrRefInf><Ref>{OCR}</Ref></CdtrRefInf></Strd></RmtInf>"
SENT = '<AmtDtls><TxAmt><Amt Ccy="SEK">500.00</Amt></TxAmt></AmtDtls>'
NET, GROSS_AMOUNT = ('<Amt Ccy="SEK">492.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>', '<Amt Ccy="SEK">500.00</Amt>')
OLD_CHARGE = '<Chrgs><Amt Ccy="SEK">8.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></Chrgs>'
FEES_KEPT = {
    "said to be in the amount": kept("492.00", f"<TxDtls>{NET}{charged('8.00', INCLUDED)}{PAID}</TxDtls>"),
    "less than what was sent": kept("492.00", f"<TxDtls>{NET}{SENT}{charged('8.00')}{PAID}</TxDtls>"),
    "of the amount that was sent": kept("492.00", f"<TxDtls>{SENT}{charged('8.00')}{PAID}</TxDtls>"),
    "as version 02 says it": kept("492.00", f"<TxDtls>{SENT}{OLD_CHARGE}{PAID}</TxDtls>"),
    "of the line": kept("492.00", f"<TxDtls>{GROSS_AMOUNT}{PAID}</TxDtls>", beside=charged("8.00")),
}


@pytest.mark.parametrize("case", FEES_KEPT)
def test_what_the_bank_keeps_is_its_fee_and_the_invoice_is_paid_in_full(
    new_database: Callable[[], Dsn], case: str
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        told = await taken_in(connection, tenant, file_of([FEES_KEPT[case]]))
        assert (told.in_suspense, told.received) == (0, {"SEK": Decimal("492.00")})
        assert await owed(connection, tenant, 3) == [0]
        found = await books(connection)
        assert (found["1930"], found["6570"], found.get("2999")) == (Decimal("492.00"), Decimal("8.00"), None)
        assert [each.check for each in await reconcile(connection, tenant, NOW) if each.differences] == []

    on(new_database(), work)


def test_a_charge_that_is_a_line_of_its_own_is_none_of_the_payment_and_is_booked_there(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        payment = kept("500.00", f"<TxDtls>{GROSS_AMOUNT}{charged('8.00', BY_ITSELF)}{PAID}</TxDtls>")
        fee = kept("8.00", "<TxDtls></TxDtls>", code="CHRG", sign="DBIT", number="c2")
        told = await taken_in(connection, tenant, file_of([payment, fee]))
        assert (told.payments, told.in_suspense) == (2, 0)
        found = await books(connection)
        assert (found["1930"], found["6570"]) == (Decimal("492.00"), Decimal("8.00"))
        assert await owed(connection, tenant, 3) == [0]

    on(new_database(), work)


def test_a_fee_that_only_words_tell_of_is_for_a_person(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        words = "<TxDtls><RmtInf><Ustrd>Avgift</Ustrd></RmtInf></TxDtls>"
        told = await taken_in(connection, tenant, file_of([kept("8.00", words, sign="DBIT"), entry(2, "9.00")]))
        assert told.in_suspense == 2
        out, came_in = [row["id"] for row in await connection.fetch("SELECT id FROM payment ORDER BY amount")]
        with pytest.raises(Invalid, match="went out"):
            await allocate(connection, tenant, came_in, Move(amount=Decimal(1), to_kind=AllocationKind.FEE), NOW, "eva")
        await allocate(connection, tenant, out, Move(amount=Decimal("-8.00"), to_kind=AllocationKind.FEE), NOW, "eva")
        found = await books(connection)
        assert (found["6570"], found["2999"]) == (Decimal("8.00"), Decimal("-9.00"))

    on(new_database(), work)


def test_charges_that_do_not_add_up_are_refused(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        wrong = kept("491.00", f"<TxDtls>{SENT}{charged('8.00')}{PAID}</TxDtls>")
        with pytest.raises(Invalid, match=r"come to 500\.00, the entry to 491\.00"):
            await taken_in(connection, tenant, file_of([wrong]))

    on(new_database(), work)


# ------------------------------------------------------------------------------------------------ whose it is
def test_money_goes_to_the_credit_of_nobody_unknown(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, DAY)
        [held] = await connection.fetch(
            """SELECT payment_id AS id, amount FROM payment_allocation WHERE kind = 'suspense' AND amount > 0 ORDER BY amount LIMIT 1"""
        )
        for unknown in ("p-nobody", "session/NONE"):
            with pytest.raises(NotFound, match=unknown):
                move = Move(amount=held["amount"], payer_id=unknown)
                await allocate(connection, tenant, held["id"], move, NOW, "eva")
        before = (await books(connection))["2420"]
        await allocate(connection, tenant, held["id"], Move(amount=held["amount"], payer_id="p-000001"), NOW, "eva")
        assert (await books(connection))["2420"] == before - held["amount"]

    on(new_database(), work)
