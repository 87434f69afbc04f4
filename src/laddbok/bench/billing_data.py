"""How does a database come to a month of priced sessions?

A seller, customers with a contract each (every tenth receives e-invoices), and priced sessions spread over them and the
month, written as the worker writes them: a session, its CDR with rating and rated lines. Deterministic by its seed.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from laddbok.bench.rating import SIMPLE_TARIFF, ZONE
from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.ids import session_id
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate

SELLER = "norrladd"
SITE = "torget"
MONTH_AT = datetime(2026, 9, 30, 22, tzinfo=UTC)
"""October by the clock of Stockholm begins."""
MONTH_S = 30 * 86_400
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
PORTION = 5_000
NO_STATION = 0
"""So that no session of a real station, numbered from 1, has the name of one of these."""
_encode = msgspec.json.encode


async def fill(connection: asyncpg.Connection, tenant: int, customers: int, sessions: int, seed: int = 1) -> None:
    """A seller, so many customers and so many sessions of October 2026."""
    pick = random.Random(seed)
    async with connection.transaction():
        await _house(connection, tenant)
        await _customers(connection, tenant, customers)
        for first in range(0, sessions, PORTION):
            numbers = range(first, min(first + PORTION, sessions))
            await _sessions(connection, tenant, numbers, customers, pick)
    await connection.execute("ANALYZE")


async def _house(connection: asyncpg.Connection, tenant: int) -> None:
    await connection.execute(
        """INSERT INTO legal_entity (tenant, id, name, organisation_number, vat_number, f_skatt, address, postal_code, city,
        bankgiro, email, endpoint_scheme, endpoint_id) VALUES ($1, $2, 'Norrladd AB', '5560360793', 'SE556036079301', true,
        'Storgatan 1', '903 26', 'Umeå', '991-2346', 'faktura@norrladd.example', '0007', '5560360793')""",
        tenant,
        SELLER,
    )
    await connection.execute(
        "INSERT INTO site (tenant, id, name, address, city, time_zone) VALUES ($1, $2, 'Torget', 'Torget 1', 'Umeå', $3)",
        tenant,
        SITE,
        ZONE,
    )


async def _customers(connection: asyncpg.Connection, tenant: int, count: int) -> None:
    payers = [_payer(tenant, number) for number in range(count)]
    columns = (
        "tenant", "id", "name", "email", "address", "postal_code", "city", "kind", "organisation_number", "vat_number",
        "endpoint_scheme", "endpoint_id", "buyer_reference", "e_invoice",
    )  # fmt: skip
    await connection.copy_records_to_table("payer", records=payers, columns=columns)
    contracts = [(tenant, f"c-{n:06d}", f"Avtal {n}", SINCE, "4100", f"Förare {n}") for n in range(count)]
    await connection.copy_records_to_table("contract", records=contracts, columns=_CONTRACT)
    links = [(tenant, f"c-{n:06d}", f"p-{n:06d}", SINCE) for n in range(count)]
    await connection.copy_records_to_table("contract_payer", records=links, columns=_LINK)


def _payer(tenant: int, number: int) -> tuple[Any, ...]:
    """Every tenth is a company with e-invoices."""
    is_company = number % 10 == 0
    company = ("company", "2021005489", "SE202100548901", "0007", "2021005489", f"Ref {number}", True)
    consumer = ("consumer", None, None, None, None, None, False)
    place = (f"Gatan {number}", "903 60", "Umeå")
    return (
        tenant,
        f"p-{number:06d}",
        f"Kund {number}",
        f"kund{number}@example.com",
        *place,
        *(company if is_company else consumer),
    )


async def _sessions(
    connection: asyncpg.Connection, tenant: int, numbers: range, customers: int, pick: random.Random
) -> None:
    compiled = compile_tariff(parse_tariff(SIMPLE_TARIFF), ZONE)
    sessions: list[tuple[Any, ...]] = []
    cdrs: list[tuple[Any, ...]] = []
    lines: list[tuple[Any, ...]] = []
    for number in numbers:
        cdr = _cdr(pick, number)
        rating = rate(cdr, compiled)
        begin_wh = pick.randrange(1_000_000, 90_000_000)
        body = {"seller_id": SELLER, "meter": {"begin_wh": begin_wh, "mark_wh": begin_wh + cdr.energy_wh}}
        sessions.append((
            tenant, cdr.session_id, "station", f"CP-{number % 500:04d}", SITE, f"c-{number % customers:06d}", "settled", 1,
            cdr.started_at, cdr.transaction_ended_at, cdr.energy_wh, _encode(body).decode(),
        ))  # fmt: skip
        cdrs.append((
            tenant, cdr.session_id, 1, "cdr", cdr.transaction_ended_at, cdr.energy_wh, "SEK", rating.excl_vat, rating.incl_vat,
            "simple", 1, _encode(cdr).decode(), _encode(rating).decode(),
        ))  # fmt: skip
        lines += _lines(tenant, cdr.session_id, rating.lines)
    for table, rows, columns in (("session", sessions, _SESSION), ("cdr", cdrs, _CDR), ("rated_line", lines, _LINE)):
        await connection.copy_records_to_table(table, records=rows, columns=columns)


_CONTRACT = ("tenant", "id", "name", "valid_from", "cost_centre", "driver")
_LINK = ("tenant", "contract_id", "payer_id", "valid_from")
_SESSION = (
    "tenant", "id", "origin", "station", "site_id", "contract_id", "state", "version", "started_at", "ended_at", "energy_wh",
    "body",
)  # fmt: skip
_CDR = (
    "tenant", "session_id", "revision", "kind", "issued_at", "energy_wh", "currency", "excl_vat", "incl_vat", "tariff_id",
    "tariff_version", "document", "rating",
)  # fmt: skip
_LINE = (
    "tenant", "session_id", "revision", "kind", "number", "dimension", "quantity", "unit", "unit_price", "excl_vat", "vat_rate",
    "incl_vat",
)  # fmt: skip


def _lines(tenant: int, session: str, lines: Any) -> Iterator[tuple[Any, ...]]:
    for number, line in enumerate(lines, start=1):
        yield (
            tenant, session, 1, "cdr", number, line.kind.value, line.quantity, "session", line.price, line.excl_vat,
            line.vat_percent, line.incl_vat,
        )  # fmt: skip


def _cdr(pick: random.Random, number: int) -> Cdr:
    start_at = MONTH_AT + timedelta(seconds=pick.randrange(MONTH_S - 30_000))
    full_at = start_at + timedelta(seconds=pick.randrange(600, 14_400))
    end_at = full_at + timedelta(seconds=pick.randrange(60, 7_200))
    charging = ChargingPeriod(
        start_at=start_at, end_at=full_at, activity=Activity.CHARGING, energy_wh=pick.randrange(500, 60_000)
    )
    parked = ChargingPeriod(start_at=full_at, end_at=end_at, activity=Activity.IDLE, energy_wh=0)
    return Cdr(
        session_id=session_id(NO_STATION, 1, number),
        started_at=start_at,
        charging_ended_at=full_at,
        transaction_ended_at=end_at,
        unplugged_at=end_at,
        last_contact_at=end_at,
        energy_wh=charging.energy_wh,
        periods=(charging, parked),
        time_zone=ZONE,
    )
