"""What happened at the demo's co-operative in the month before, and what does its treasurer have to show?

Twenty apartments charge at its boxes by id tokens of their own, at no price: they share the month's electricity bill. One family moved
in on the 15th, a neighbour without an apartment charged too, and one driver's company car is paid back by the employer. The sessions
are real ones: messages of the boxes, taken in at the times of that month by the same code as always, and settled by the same worker.
"""

import json
import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from laddbok.flow.apply import Desk
from laddbok.flow.changes import Job
from laddbok.flow.decide import SETTLE
from laddbok.flow.messages import Received
from laddbok.flow.store import LeasedJob
from laddbok.model.statement import MonthBill
from laddbok.ocpp import decode
from laddbok.ocpp.frame import Call, OcppVersion, encode_call, parse
from laddbok.sessions.authorize import normalise_token
from laddbok.store.database import Database
from laddbok.store.postgres import PostgresStore
from laddbok.store.sql import query
from laddbok.store.statements import agree_apartments, agree_home, issue_home, issue_list
from laddbok.workers.settle import Settler

SITE = "brf-solgläntan"
ZONE = ZoneInfo("Europe/Stockholm")
APARTMENTS = tuple(f"{floor}{door:03d}" for floor in range(1, 5) for door in range(1, 6))
NEWCOMER, NEW_APARTMENT = "brf-nya", "3003"
COMPANY_CAR = "2002"
MOVED_ON = 15
VISITS = 4
"""Of each apartment in the month."""
FREE = {
    "id": "demo-brf", "currency": "SEK", "last_updated": "2026-01-01T00:00:00Z", "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "0.00", "vat": 25, "step_size": 1}]}],
}  # fmt: skip
EMPLOYER = ("demo-bageriet", "Bageriet i Backen AB", "2021005489", "Backvägen 2", "903 60", "Umeå")
BEGAN_WITH_WH = 1_500_000
"""What a meter of the co-operative showed when the month began."""


class Visit(NamedTuple):
    """A charge to come: by whom, when and how much."""

    token: str
    at: datetime
    minutes: int
    energy_wh: int


async def show_cooperative(database: Database, tenant: int, guest: str, since: datetime, now: datetime) -> None:
    """Let the month before have happened, once. Args: guest, the id token of somebody who lives elsewhere."""
    pool = await database.pool(2)
    try:
        async with pool.acquire() as connection:
            boxes = await connection.fetch(query("demo_boxes"), tenant, SITE)
            if not boxes or await connection.fetchval(query("demo_was_used"), tenant, SITE):
                return
            first, last = _month_before(now)
            async with connection.transaction():
                await _neighbours(connection, tenant, first, since, now)
            await connection.execute(query("frame_days"), first - timedelta(days=1), 33)
        await _happened(pool, [row["station_no"] for row in boxes], visits(first, guest), now)
        async with pool.acquire() as connection, connection.transaction():
            bill = MonthBill(
                period_start=first,
                period_end=last,
                net=Decimal("3412.75"),
                fixed_net=Decimal("450.00"),
                number=f"{first:%y%m}-7731",
            )
            await issue_list(connection, tenant, SITE, f"{first:%Y-%m}", bill, now, "demo", final=True)
            await issue_home(connection, tenant, _contract(COMPANY_CAR), f"{first:%Y-%m}", now, "demo", final=True)
    finally:
        await pool.close()


def visits(first: date, guest: str) -> list[Visit]:
    """Who charged in the month that begins on this day, in the order of time."""
    pick, found = random.Random(first.isoformat()), []
    for apartment in APARTMENTS:
        for _ in range(VISITS):
            day = first + timedelta(days=pick.randrange(27))
            moved_in = apartment == NEW_APARTMENT and day.day >= MOVED_ON
            token = _token(NEWCOMER) if moved_in else _token(_contract(apartment))
            found.append(_visit(pick, token, day))
    found += [_visit(pick, guest, first + timedelta(days=pick.randrange(27))) for _ in range(2)]
    return sorted(found, key=lambda visit: visit.at)


def _visit(pick: random.Random, token: str, day: date) -> Visit:
    at = datetime(day.year, day.month, day.day, 16, tzinfo=ZONE) + timedelta(minutes=pick.randrange(360))
    minutes = pick.randrange(60, 300)
    return Visit(token, at, minutes, minutes * pick.randrange(110, 180))


async def _neighbours(connection: asyncpg.Connection, tenant: int, first: date, since: datetime, now: datetime) -> None:
    """Contracts, tokens and what was agreed."""
    await connection.execute(query("demo_tariff"), tenant, FREE["id"], since, now, json.dumps(FREE))
    for contract, name in [
        *((_contract(each), f"Lägenhet {each}") for each in APARTMENTS),
        (NEWCOMER, "Lägenhet 3003, nya"),
    ]:
        token = _token(contract)
        names = (contract, name, since, normalise_token(token), token)
        payer = (name, f"{contract}@example.com", "Solgläntan 3", "752 28", "Uppsala", "consumer", None, None, None)
        await connection.execute(query("demo_driver"), tenant, *names, *payer)
        await connection.execute(query("demo_assignment"), tenant, "contract", contract, since, FREE["id"])
    await connection.execute(query("demo_employer"), tenant, *EMPLOYER)
    await agree_apartments(connection, tenant, SITE, json.dumps(_agreement(first)).encode(), now, "demo")
    terms = {
        "site_id": SITE, "employer_id": EMPLOYER[0],
        "prices": [{"per_kwh": "1.85"}, {"per_kwh": "2.05", "from_date": f"{first.replace(day=MOVED_ON)}"}],
    }  # fmt: skip
    await agree_home(connection, tenant, _contract(COMPANY_CAR), json.dumps(terms).encode(), now, "demo")


def _agreement(first: date) -> dict[str, object]:
    """Each apartment with its token; 3003 was another family's until the 14th."""
    moved = first.replace(day=MOVED_ON)
    apartments = []
    for each in APARTMENTS:
        holder = {"id_token": _token(_contract(each))}
        holders = [holder]
        if each == NEW_APARTMENT:
            left = {**holder, "last_day": f"{moved - timedelta(days=1)}"}
            holders = [left, {"id_token": _token(NEWCOMER), "first_day": f"{moved}"}]
        apartments.append({"apartment": each, "part": "5", "holders": holders})
    return {"apartments": apartments}


async def _happened(pool: asyncpg.Pool, boxes: Sequence[int], coming: Sequence[Visit], now: datetime) -> None:
    """The boxes send their messages, one visit after another at each, and what they tell is settled."""
    store = PostgresStore(pool)
    claims = await store.claim(boxes, "demo", coming[0].at)
    desk, registers = Desk(store), dict.fromkeys(boxes, BEGAN_WITH_WH)
    for claim in claims.values():
        desk.take_over(claim, "1.6")
    free_at = dict.fromkeys(boxes, coming[0].at)
    for visit in coming:
        box = min(boxes, key=lambda number: free_at[number])
        ended_at = visit.at + timedelta(minutes=visit.minutes)
        if free_at[box] > visit.at:
            continue
        await _charge(desk, box, claims[box].epoch, visit, registers[box])
        registers[box] += visit.energy_wh
        free_at[box] = ended_at + timedelta(minutes=1)
    epochs = [claims[box].epoch for box in boxes]
    last_at = max(free_at.values())
    await pool.execute(query("stations_gone"), list(boxes), epochs, last_at, [last_at] * len(boxes))
    settler = Settler(store, lambda: now)
    for row in await pool.fetch(query("demo_unsettled"), SITE):
        job = Job(tenant=row["tenant"], kind=SETTLE, key=row["id"], due_at=now)
        while await settler(LeasedJob(0, job, 0, 0)) is not None:
            pass


async def _charge(desk: Desk, box: int, epoch: int, visit: Visit, begin_wh: int) -> None:
    start = {"connectorId": 1, "idTag": visit.token, "meterStart": begin_wh, "timestamp": visit.at.isoformat()}
    answer = await _said(desk, box, epoch, visit.at, "StartTransaction", start)
    ended_at = visit.at + timedelta(minutes=visit.minutes)
    stop = {
        "transactionId": answer["transactionId"], "meterStop": begin_wh + visit.energy_wh, "timestamp": ended_at.isoformat(),
        "reason": "EVDisconnected", "idTag": visit.token,
    }  # fmt: skip
    await _said(desk, box, epoch, ended_at, "StopTransaction", stop)


async def _said(
    desk: Desk, box: int, epoch: int, at: datetime, action: str, payload: dict[str, object]
) -> dict[str, int]:
    """A message of a box, taken in when it came. Returns: our answer."""
    raw = encode_call(f"{box}-{at.timestamp():.0f}-{action[:5]}", action, json.dumps(payload).encode())
    call = parse(raw, OcppVersion.V16)
    assert isinstance(call, Call), action
    event = decode(call, OcppVersion.V16)
    message = Received(
        station_no=box, epoch=epoch, received_at=at, version=OcppVersion.V16, call=call, raw=raw, event=event
    )
    [reply] = await desk.apply([message])
    answer: dict[str, int] = json.loads(reply.payload or b"{}")
    return answer


def _month_before(now: datetime) -> tuple[date, date]:
    last = now.astimezone(ZONE).date().replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def _contract(apartment: str) -> str:
    return f"brf-{apartment}"


def _token(contract: str) -> str:
    return f"04B{int.from_bytes(contract.encode()) % 16**9:09X}"
