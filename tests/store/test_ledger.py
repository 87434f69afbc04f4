"""Do the accounts come to the documents, is a month accrued once, and does the export say the same?"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import asyncpg
import pytest

from laddbok.billing.credit import CreditWish
from laddbok.billing.sie4 import sie4
from laddbok.flow.billing_run import period_of
from laddbok.model.errors import Conflict
from laddbok.store.embedded import Dsn
from laddbok.store.ledger import account_card, accrue, journal, trial_balance
from tests.store.test_billing_run import NOW, on, run_october, terms_of
from tests.store.test_credit_notes import credit

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def test_the_trial_balance_and_the_cards_come_to_the_documents(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        await credit(connection, tenant, "10000001", CreditWish(reason="Fel kund"))
        accounts = {row["account"]: row for row in await trial_balance(connection, tenant, "norrladd", *YEAR)}
        net, vat, payable = await connection.fetchrow(
            "SELECT sum(s * net), sum(s * vat), sum(s * payable) FROM (SELECT *, CASE kind WHEN 'invoice' THEN 1 ELSE -1 END AS s FROM invoice) x"
        )
        assert accounts["1510"]["closing"] == payable
        assert accounts["3001"]["closing"] == -net
        assert accounts["2611"]["closing"] == -vat
        assert sum(row["closing"] for row in accounts.values()) == 0
        assert sum(row["debit"] - row["credit"] for row in accounts.values()) == 0
        card = await account_card(connection, tenant, "norrladd", "1510", *YEAR)
        assert card[-1]["balance"] == payable
        assert sum(row["amount"] for row in card) == payable
        december = (date(2026, 12, 1), date(2026, 12, 31))
        [row] = [
            row for row in await trial_balance(connection, tenant, "norrladd", *december) if row["account"] == "1510"
        ]
        assert (row["opening"], row["debit"], row["closing"]) == (payable, 0, payable)

    on(new_database(), work)


def test_a_month_is_accrued_once_also_when_it_was_billed_meanwhile(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        terms = await terms_of(connection, tenant)
        october = period_of("2026-10", terms, NOW)
        with pytest.raises(Conflict, match="not over"):
            await accrue(connection, tenant, terms, october, datetime(2026, 10, 31, 22, 59, tzinfo=UTC))
        told = await asyncio.gather(
            *(accrue(each, tenant, terms, october, NOW) for each in (connection, reader)), return_exceptions=True
        )
        assert sorted(type(each).__name__ for each in told) == ["Conflict", "tuple"]
        sold = await connection.fetchval("SELECT sum(net) FROM invoice")
        at_month_end = {
            row["account"]: row["closing"]
            for row in await trial_balance(connection, tenant, "norrladd", date(2026, 10, 1), date(2026, 10, 31))
        }
        assert at_month_end == {"1790": sold, "3001": -sold}
        after = {row["account"]: row["closing"] for row in await trial_balance(connection, tenant, "norrladd", *YEAR)}
        assert (after["1790"], after["3001"]) == (0, -sold)

    on(new_database(), work)


def test_the_export_read_back_is_the_journal(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await connection.execute("UPDATE payer SET name = 'Łódź & Åkeri ' || id, whole_units = true")
        await run_october(connection, reader, tenant)
        terms = await terms_of(connection, tenant)
        await accrue(connection, tenant, terms, period_of("2026-10", terms, NOW), NOW)
        entries = await journal(connection, tenant, "norrladd", *YEAR)
        sums = read_back(sie4(terms.seller, entries, NOW.date()))
        rows = await connection.fetch("SELECT account, sum(amount) AS sum FROM posting GROUP BY account")
        assert sums == {row["account"]: row["sum"] for row in rows}

    on(new_database(), work)


def read_back(written: bytes) -> dict[str, Decimal]:
    """The balance of each account in a SIE file, each of whose vouchers sums to 0."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    voucher: list[Decimal] = []
    for line in written.decode("cp437").removesuffix("\r\n").split("\r\n"):
        word, _, rest = line.partition(" ")
        if word == "#TRANS":
            account, _, amount = rest.split(" ")
            sums[account] += Decimal(amount)
            voucher.append(Decimal(amount))
        elif word == "}":
            assert len(voucher) >= 2
            assert sum(voucher) == 0
            voucher = []
        elif word == "#FORMAT":
            assert rest == "PC8"
    assert not voucher
    return dict(sums)
