"""Do a co-operative's rows come to its bill, and a home's lines to its CDRs, and does each revision say what changed?"""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
import pytest

from laddbok.billing.statement_files import sessions_csv, statement_csv, statement_pdf
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.statement import ApartmentList, MonthBill, StatementKind
from laddbok.store.embedded import Dsn
from laddbok.store.reconcile import reconcile
from laddbok.store.statements import (
    Issued,
    agree_apartments,
    agree_home,
    issue_home,
    issue_list,
    keep_pdf,
    kept_statement,
)
from tests.rules.billing.pdf_text import page_texts
from tests.store.test_billing_run import NOW, SESSIONS, on

SITE, APARTMENTS = "torget", 20
BILL = MonthBill(
    period_start=date(2026, 10, 1), period_end=date(2026, 10, 31), net=Decimal("9876.53"), fixed_net=Decimal("600.00"),
    number="F-1031",
)  # fmt: skip
HOME = b'{"site_id": "torget", "employer_id": "p-000010", "prices": [{"per_kwh": "1.85"}, {"per_kwh": "2.05", "from_date": "2026-10-15"}]}'


def house(**more: Any) -> bytes:
    """Twenty apartments with a contract each; ten contracts are nobody's."""
    apartments = [{"apartment": f"{1001 + n}", "holders": [{"contract_id": f"c-{n:06d}"}]} for n in range(APARTMENTS)]
    return msgspec.json.encode({"apartments": apartments, **more})


async def list_of(
    connection: asyncpg.Connection,
    tenant: int,
    bill: MonthBill | None = BILL,
    *,
    final: bool = True,
    now: datetime = NOW,
) -> Issued:
    async with connection.transaction():
        return await issue_list(connection, tenant, SITE, "2026-10", bill, now, "anna", final=final)


async def home_of(connection: asyncpg.Connection, tenant: int, *, final: bool = True) -> Issued:
    async with connection.transaction():
        return await issue_home(connection, tenant, "c-000003", "2026-10", NOW, "anna", final=final)


async def correct(connection: asyncpg.Connection, session_id: str, energy_wh: int) -> None:
    """Credit the session's CDR and issue the next one, as the worker that settles it anew writes them."""
    await connection.execute(
        """INSERT INTO cdr SELECT tenant, session_id, revision, 'credit', $2, energy_wh, currency, -excl_vat, -incl_vat, tariff_id,
        tariff_version, document, rating FROM cdr WHERE session_id = $1""",
        session_id,
        NOW,
    )
    await connection.execute("UPDATE session SET revision = 2, energy_wh = $2 WHERE id = $1", session_id, energy_wh)
    await connection.execute(
        """INSERT INTO cdr SELECT tenant, session_id, 2, 'cdr', $2, $3, currency, excl_vat, incl_vat, tariff_id, tariff_version,
        document || jsonb_build_object('energy_wh', $3::bigint, 'revision', 2), rating
        FROM cdr WHERE session_id = $1 AND kind = 'cdr'""",
        session_id,
        NOW,
        energy_wh,
    )


async def energy_by_contract(connection: asyncpg.Connection) -> dict[str, int]:
    rows = await connection.fetch(
        """SELECT s.contract_id, sum(c.energy_wh)::bigint AS wh FROM cdr AS c JOIN session AS s ON s.id = c.session_id
        WHERE c.kind = 'cdr' GROUP BY 1"""
    )
    return {row["contract_id"]: row["wh"] for row in rows}


def test_B43_the_rows_come_to_the_bill_to_the_oere_and_their_energy_is_that_of_the_CDRs(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await agree_apartments(connection, tenant, SITE, house(), NOW, "anna")
        shown = await list_of(connection, tenant, final=False)
        assert not shown.is_new
        assert await connection.fetchval("SELECT count(*) FROM statement") == 0
        made = (await list_of(connection, tenant)).statement
        assert isinstance(made, ApartmentList)
        assert made == shown.statement
        assert sum(share.net for share in made.shares) == BILL.net
        assert made.total == Decimal("9876.53") + Decimal("2469.13")
        used = await energy_by_contract(connection)
        assert {share.apartment: share.energy_wh for share in made.shares if share.apartment} == {
            f"{1001 + n}": used.get(f"c-{n:06d}", 0) for n in range(APARTMENTS)
        }
        nobody = made.shares[-1]
        assert (nobody.apartment, nobody.energy_wh) == (
            "",
            sum(used.values()) - sum(s.energy_wh for s in made.shares[:-1]),
        )
        assert len(made.sessions) == SESSIONS
        by_use = (BILL.net - BILL.fixed_net) * nobody.energy_wh / made.energy_wh
        assert abs(nobody.net - by_use) < Decimal("0.01"), "what is fixed is the apartments' alone"

    on(new_database(), work)


def test_a_correction_is_the_next_revision_which_says_what_changed_and_the_first_one_stays(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await agree_apartments(connection, tenant, SITE, house(), NOW, "anna")
        first = await list_of(connection, tenant)
        again = await list_of(connection, tenant)
        assert (again.is_new, again.statement, again.hash) == (False, first.statement, first.hash)
        assert isinstance(first.statement, ApartmentList)
        session = next(each for each in first.statement.sessions if each.apartment == "1004")
        await correct(connection, session.session_id, session.energy_wh - 400)
        second = await list_of(connection, tenant, bill=None)
        assert isinstance(second.statement, ApartmentList)
        changes = second.statement.changes
        [corrected] = [each for each in changes if each.session_id]
        assert (corrected.session_id, corrected.apartment) == (session.session_id, "1004")
        assert (corrected.before_wh, corrected.after_wh) == (session.energy_wh, session.energy_wh - 400)
        shares = {each.apartment: each for each in changes if not each.session_id}
        assert (shares["1004"].before_wh or 0) - (shares["1004"].after_wh or 0) == 400
        assert shares[None].before_wh == shares[None].after_wh, "nobody used as much, and pays more"
        assert second.statement.total == first.statement.total
        kept, hashed = await kept_statement(connection, tenant, StatementKind.APARTMENTS, SITE, "2026-10", 1)
        assert (kept, hashed) == (first.statement, first.hash)
        rows = await connection.fetch("SELECT revision, content, previous_hash, hash FROM statement ORDER BY revision")
        assert [row["revision"] for row in rows] == [1, 2]
        assert rows[1]["previous_hash"] == rows[0]["hash"]
        assert all(row["hash"] == sha256((row["previous_hash"] or b"") + row["content"]).digest() for row in rows)
        assert await connection.fetchval("SELECT count(*) FROM job WHERE kind = 'render_statement'") == 2
        for statement in (
            "UPDATE statement SET total = 0",
            "DELETE FROM statement",
            "UPDATE statement_terms SET version = 9",
        ):
            with pytest.raises(asyncpg.exceptions.RestrictViolationError):
                await connection.execute(statement)

    on(new_database(), work)


def test_B44_who_moves_in_pays_from_that_day_on_and_a_token_goes_before_its_contract(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await connection.execute("INSERT INTO id_token VALUES ($1, '04A2', '04:A2', '', 'Accepted')", tenant)
        moved = [
            {"apartment": "1", "holders": [{"contract_id": "c-000001", "last_day": "2026-10-14"}]},
            {"apartment": "2", "holders": [{"contract_id": "c-000001", "first_day": "2026-10-15"}]},
            {"apartment": "3", "holders": [{"id_token": "04:a2"}]},
        ]
        await agree_apartments(connection, tenant, SITE, msgspec.json.encode({"apartments": moved}), NOW, "anna")
        rows = await connection.fetch(
            "SELECT id, started_at AT TIME ZONE 'Europe/Stockholm' AS at FROM session WHERE contract_id = 'c-000001' ORDER BY 2"
        )
        carried = rows[-1]["id"]
        await connection.execute("UPDATE session SET token = '04A2' WHERE id = $1", carried)
        made = (await list_of(connection, tenant)).statement
        assert isinstance(made, ApartmentList)
        whose = {each.session_id: each.apartment for each in made.sessions}
        for row in rows[:-1]:
            assert whose[row["id"]] == ("1" if row["at"].date() < date(2026, 10, 15) else "2")
        assert {whose[row["id"]] for row in rows[:-1]} == {"1", "2"}
        assert whose[carried] == "3"

    on(new_database(), work)


def test_B11_a_session_over_the_months_end_and_one_without_a_CDR_are_where_they_belong(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await agree_apartments(connection, tenant, SITE, house(), NOW, "anna")
        late, held = [row["id"] for row in await connection.fetch("SELECT id FROM session ORDER BY id LIMIT 2")]
        await connection.execute("UPDATE session SET ended_at = '2026-10-31 23:00Z' WHERE id = $1", late)
        await connection.execute(
            """INSERT INTO cdr SELECT tenant, session_id, revision, 'credit', $2, energy_wh, currency, -excl_vat, -incl_vat,
            tariff_id, tariff_version, document, rating FROM cdr WHERE session_id = $1""",
            held,
            NOW,
        )
        await connection.execute("UPDATE session SET state = 'review' WHERE id = $1", held)
        made = (await list_of(connection, tenant)).statement
        assert {late, held} & {each.session_id for each in made.sessions} == set()
        assert made.waiting == (held,)
        await connection.execute("UPDATE session SET state = 'void' WHERE id = $1", held)
        again = (await list_of(connection, tenant)).statement
        assert (again.waiting, again.head.revision, again.changes) == ((), 2, ())

    on(new_database(), work)


@pytest.mark.parametrize(
    ("bill", "field"),
    [
        ({"period_start": date(2026, 9, 1), "period_end": date(2026, 9, 30)}, "bill.period_start"),
        ({"period_end": date(2026, 11, 30)}, "bill.period_end"),
        ({"net": Decimal(0)}, "bill.net"),
        ({"net": Decimal("1.234")}, "bill.net"),
        ({"fixed_net": Decimal(10_000)}, "bill.fixed_net"),
        ({"vat": Decimal("600.00")}, "bill.vat"),
        ({"vat_percent": Decimal(101)}, "bill.vat_percent"),
        ({"number": ""}, "bill.number"),
    ],
)  # fmt: skip
def test_a_bill_that_can_not_be_shared_names_its_field_and_nothing_is_kept(
    new_database: Callable[[], Dsn], bill: dict[str, Any], field: str
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await agree_apartments(connection, tenant, SITE, house(), NOW, "anna")
        with pytest.raises(Invalid) as error:
            await list_of(connection, tenant, msgspec.structs.replace(BILL, **bill))
        assert error.value.field == field
        assert await connection.fetchval("SELECT count(*) FROM statement") == 0

    on(new_database(), work)


def test_what_is_not_there_or_not_over_is_told(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        with pytest.raises(NotFound, match="agreement"):
            await list_of(connection, tenant)
        with pytest.raises(NotFound, match="site"):
            await agree_apartments(connection, tenant, "ingenstans", house(), NOW, "anna")
        unknown = b'{"apartments": [{"apartment": "1"}, {"apartment": "2", "holders": [{"contract_id": "ingen"}]}]}'
        with pytest.raises(Invalid, match="there is no 'ingen'") as error:
            await agree_apartments(connection, tenant, SITE, unknown, NOW, "anna")
        assert error.value.field == "apartments[1].holders[0].contract_id"
        await agree_apartments(connection, tenant, SITE, house(), NOW, "anna")
        with pytest.raises(Invalid) as error:
            await list_of(connection, tenant, bill=None)
        assert error.value.field == "bill"
        with pytest.raises(Conflict, match="not over"):
            await list_of(connection, tenant, now=datetime(2026, 10, 31, 22, 59, tzinfo=UTC))
        for given, field in ((b"hemma", b"site_id"), (b"ingen", b"employer_id")):
            wrong = HOME.replace({b"hemma": b"torget", b"ingen": b"p-000010"}[given], given)
            with pytest.raises(Invalid) as error:
                await agree_home(connection, tenant, "c-000003", wrong, NOW, "anna")
            assert error.value.field == field.decode()
        with pytest.raises(NotFound, match="home agreement"):
            await home_of(connection, tenant)
        with pytest.raises(NotFound, match="statement"):
            await kept_statement(connection, tenant, StatementKind.HOME, "c-000003", "2026-10", None)

    on(new_database(), work)


def test_the_files_of_a_revision_are_made_of_what_was_frozen_and_say_what_changed(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await agree_apartments(connection, tenant, SITE, house(), NOW, "anna")
        await agree_home(connection, tenant, "c-000003", HOME, NOW, "anna")
        first = (await list_of(connection, tenant)).statement
        session = next(each for each in first.sessions if each.apartment == "1004")
        await home_of(connection, tenant)
        await correct(connection, session.session_id, 12_345)
        await list_of(connection, tenant, bill=None)
        await home_of(connection, tenant)
        for kind, subject in ((StatementKind.APARTMENTS, SITE), (StatementKind.HOME, "c-000003")):
            statement, _ = await kept_statement(connection, tenant, kind, subject, "2026-10", 2)
            text = " ".join(page_texts(statement_pdf(statement)))
            assert statement_pdf(statement) == statement_pdf(statement)
            assert session.session_id in text
            assert "12,345" in text
            assert "Ändrat sedan version 1" in text
            rows = [row.split(";") for row in statement_csv(statement).decode("utf-8-sig").split("\r\n")[1:-1]]
            amounts = [Decimal(row[-1].replace(",", ".")) for row in rows]
            assert sum(amounts[:-1]) == amounts[-1] == statement.total
            counted = [row.split(";") for row in sessions_csv(statement).decode("utf-8-sig").split("\r\n")[1:-1]]
            assert len(counted) == len(statement.sessions) + 1
            energy = [Decimal(row[3].replace(",", ".")) for row in counted]
            assert sum(energy[:-1]) == energy[-1] == Decimal(statement.energy_wh) / 1000
        listed = [
            row[0] for row in (line.split(";") for line in statement_csv(first).decode("utf-8-sig").split("\r\n"))
        ]
        assert listed[1:-1] == [*(f"{1001 + n}" for n in range(APARTMENTS)), "Utan lägenhet", "Summa"]

    on(new_database(), work)


def test_two_who_keep_a_month_at_once_keep_it_once(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await agree_apartments(connection, tenant, SITE, house(), NOW, "anna")
        both = await asyncio.gather(*(list_of(each, tenant) for each in (connection, reader)), return_exceptions=True)
        made = [each for each in both if isinstance(each, Issued)]
        assert all(isinstance(each, Issued | Conflict) for each in both), both
        assert sum(each.is_new for each in made) == 1
        assert not (await list_of(reader, tenant)).is_new
        assert await connection.fetchval("SELECT count(*) FROM statement") == 1

    on(new_database(), work)


BROKEN = [
    ("UPDATE statement SET currency = 'EUR' WHERE revision = 1", "statements", "1: its columns are not its content"),
    ("UPDATE statement SET content = content || ' ' WHERE revision = 1", "statements", "1: its hash is not that of its content"),
    ("UPDATE statement SET previous_hash = 'x', hash = sha256('x' || content) WHERE revision = 2", "statements",
     "2: it is not chained to the revision before"),
    ("UPDATE statement_pdf SET bytes = 'y' WHERE revision = 2", "files", "2: pdf: its hash is not that of its bytes"),
    ("DELETE FROM statement_pdf WHERE revision = 1", "rendered", "1: Torget"),
]  # fmt: skip
"""One after the other: what is broken, and which check tells of which revision what."""


def test_a_statement_that_was_altered_is_named(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await agree_apartments(connection, tenant, SITE, house(), NOW, "anna")
        for revision, net in enumerate(("9876.53", "9000.00"), start=1):
            await list_of(connection, tenant, msgspec.structs.replace(BILL, net=Decimal(net)))
            of = (StatementKind.APARTMENTS, SITE, "2026-10", revision)
            await keep_pdf(connection, tenant, *of, b"a PDF %d" % revision, NOW)
        await connection.execute("DELETE FROM job")
        right = {each.check: each.differences for each in await reconcile(connection, tenant, NOW)}
        assert (right["statements"], right["files"], right["rendered"]) == (0, 0, 0)
        for table in ("statement", "statement_pdf"):
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for broken, check, told in BROKEN:
            await connection.execute(broken)
            [found] = [each for each in await reconcile(connection, tenant, NOW) if each.check == check]
            assert f"apartments/{SITE}/2026-10/{told}" in [f"{item.id}: {item.detail}" for item in found.items]

    on(new_database(), work)
