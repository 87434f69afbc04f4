"""A station whose messages go through the real desk into the API's database, and the worker that settles its sessions."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import asyncpg

from laddbok.flow.apply import Desk
from laddbok.flow.decide import SETTLE
from laddbok.flow.messages import Received
from laddbok.flow.packed_curve import PACK
from laddbok.ocpp import decode
from laddbok.ocpp.frame import Call, OcppVersion, encode_call, parse
from laddbok.sessions.quirks import known_quirks
from laddbok.store.postgres import PostgresStore
from laddbok.workers.jobs import Does, Worker
from laddbok.workers.match_orphan import MATCH_ORPHAN, OrphanMatcher
from laddbok.workers.pack import Packer
from laddbok.workers.settle import Settler
from tests.edge.api.conftest import NOW, RunningApi

T = TypeVar("T")
_ids = itertools.count(1)
_starts = (NOW - timedelta(hours=3 + 4 * number) for number in itertools.count())
"""Each charge before the one that was told last, so that none is the repetition of another."""


def with_store(house: RunningApi, work: Callable[[PostgresStore, asyncpg.Pool], Awaitable[T]]) -> T:
    """Do something with the API's database as gateway and workers do."""

    async def run() -> T:
        pool = await asyncpg.create_pool(**house.dsn, min_size=1, max_size=4)
        try:
            return await work(PostgresStore(pool), pool)
        finally:
            await pool.close()

    return asyncio.run(run())


def speak(house: RunningApi, *messages: tuple[datetime, str, dict[str, Any]], station_no: int = 1) -> list[Any]:
    """Messages (received_at, action, payload) of OCPP 1.6 on a connection of their own. Returns: our answers."""

    async def work(store: PostgresStore, _: asyncpg.Pool) -> list[Any]:
        [claim] = (await store.claim([station_no], "gateway", messages[0][0])).values()
        desk = Desk(store)
        desk.take_over(claim, "1.6")
        answers = []
        for received_at, action, payload in messages:
            raw = encode_call(f"m{next(_ids)}", action, json.dumps(payload).encode())
            call = parse(raw, OcppVersion.V16)
            assert isinstance(call, Call)
            [reply] = await desk.apply(
                [
                    Received(
                        station_no=station_no, epoch=claim.epoch, received_at=received_at, version=OcppVersion.V16, call=call,
                        raw=raw, event=decode(call, OcppVersion.V16),
                    )
                ]
            )  # fmt: skip
            answers.append(json.loads(reply.payload or b"null"))
        return answers

    return with_store(house, work)


def charge(
    house: RunningApi, token: str, begin_wh: int = 1_000, end_wh: int = 6_000, started_at: datetime | None = None,
    readings: tuple[int, ...] = (), connector_id: int = 1,
) -> str:  # fmt: skip
    """An hour of charging on LB-1, ended and not settled yet. Returns: the session's id."""
    at = started_at or next(_starts)
    start = {"connectorId": connector_id, "idTag": token, "meterStart": begin_wh, "timestamp": at.isoformat()}
    [answer] = speak(house, (at, "StartTransaction", start))
    transaction_id, messages = answer["transactionId"], []
    for number, register_wh in enumerate(readings, start=1):
        read_at = at + timedelta(minutes=10 * number)
        value = {"timestamp": read_at.isoformat(), "sampledValue": [{"value": str(register_wh)}]}
        payload = {"connectorId": connector_id, "transactionId": transaction_id, "meterValue": [value]}
        messages.append((read_at, "MeterValues", payload))
    ended_at = at + timedelta(hours=1)
    stop = {"transactionId": transaction_id, "meterStop": end_wh, "timestamp": ended_at.isoformat(), "reason": "Local"}
    speak(house, *messages, (ended_at, "StopTransaction", stop))
    [row] = house.sql("SELECT id FROM session WHERE transaction_id = $1 AND started_at = $2", str(transaction_id), at)
    return str(row["id"])


def settle(house: RunningApi, now: datetime | None = None) -> None:
    """The worker does what there is to do."""

    async def work(store: PostgresStore, pool: asyncpg.Pool) -> None:
        clock = lambda: now or house.clock.at  # noqa: E731
        does: dict[str, Does] = {
            SETTLE: Settler(store, clock),
            PACK: Packer(store, clock),
            MATCH_ORPHAN: OrphanMatcher(store, pool, clock, known_quirks()),
        }
        worker = Worker("worker", store, clock, does)
        while await worker.work_once():
            pass

    with_store(house, work)
