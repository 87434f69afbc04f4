"""What do people ask of a station, and what did it answer?

A command is a row, announced to the gateway that has the station, sent at most once. The request waits for the end of
it. A command that nobody waits for any more and that was not sent yet is withdrawn, so that nothing happens at a
station long after somebody gave up. An idempotency key names its command from the moment that it is queued: whoever
repeats the request waits for the same command, also when the first request was cut off.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, cut
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.problems import NoAnswer, TooMany, problem_of
from laddbok.api.writes import IdempotencyKey, claim, earlier_answer, idempotency_key
from laddbok.model.errors import Conflict, Invalid, LaddbokError, NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.model.session import RUNNING_STATES
from laddbok.ocpp import validate_command
from laddbok.ocpp.frame import OcppVersion
from laddbok.store.reads import Filters, cursor_instant, cursor_number, parse_cursor, read_rows
from laddbok.store.sql import query

HTTP_ACCEPTED = 202
"""Kept under an idempotency key while its command runs; the response beside it is the command's id."""
ENDED = frozenset({"answered", "error", "not_connected", "timed_out", "unknown"})


class CommandAnswer(msgspec.Struct, omit_defaults=True):
    """How a command ended: the station's answer (also a refusal), or its CallError."""

    command_id: str
    status: str
    payload: dict[str, Any] | None = None
    code: str | None = None
    description: str | None = None


class CommandView(msgspec.Struct):
    """A command. `status`: queued, sent, answered, error, not_connected, timed_out, or unknown (it was cut off)."""

    id: UUID
    station_id: str
    session_id: str | None
    action: str
    payload: Any
    status: str
    answer: Any
    requested_by: str
    requested_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


class Order(msgspec.Struct, frozen=True):
    """A command to be given: what, to which station, and the session that it is about."""

    station_id: str
    action: str
    payload: dict[str, Any]
    session_id: str | None = None


Plan = Callable[[asyncpg.Connection], Awaitable[Order]]
"""What is to be ordered, found out in the transaction that queues it."""


@post("/stations/{station_id:str}/commands/{action:str}", status_code=200)
async def command_station(
    request: ApiRequest,
    station_id: FromPath[str],
    action: FromPath[str],
    data: JSONBody[dict[str, Any]],
    idempotency_key: IdempotencyKey = None,
) -> Response[CommandAnswer]:
    """Send an OCPP call to a station and wait for its answer; the body is the call's payload."""

    async def plan(_: asyncpg.Connection) -> Order:
        return Order(station_id, action, data)

    return await _give(request, plan)


@post("/sessions/{session_id:str}/stop", status_code=200)
async def stop_session(
    request: ApiRequest, session_id: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[CommandAnswer]:
    """Ask the station to stop the session's transaction."""

    async def plan(connection: asyncpg.Connection) -> Order:
        wire = await _wire(connection, session_id)
        transaction_id = wire["transaction_id"]
        if wire["state"] not in RUNNING_STATES or transaction_id is None:
            raise Conflict(f"session {wire['id']} does not run: it is {wire['state']}")
        if is_v16(wire["session_protocol"]) != is_v16(wire["protocol"]):
            began, speaks = (wire[name].removeprefix("ocpp") for name in ("session_protocol", "protocol"))
            raise Conflict(
                f"session {wire['id']} began over OCPP {began} and its station speaks OCPP {speaks} now, in which its"
                " transaction has no name"
            )
        if is_v16(wire["protocol"]):
            return _order(wire, "RemoteStopTransaction", {"transactionId": int(transaction_id)})
        return _order(wire, "RequestStopTransaction", {"transactionId": transaction_id})

    return await _give(request, plan)


@post("/sessions/{session_id:str}/unlock", status_code=200)
async def unlock_session(
    request: ApiRequest, session_id: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[CommandAnswer]:
    """Ask the station to unlock the session's connector."""

    async def plan(connection: asyncpg.Connection) -> Order:
        wire = await _wire(connection, session_id)
        evse_id, connector_id = wire["evse_id"], wire["connector_id"]
        if is_v16(wire["protocol"]):
            if evse_id is None:
                raise Conflict(f"session {wire['id']} has not told its connector")
            return _order(wire, "UnlockConnector", {"connectorId": evse_id})
        if evse_id is None or connector_id is None:
            raise Conflict(f"session {wire['id']} has not told its EVSE and connector")
        return _order(wire, "UnlockConnector", {"evseId": evse_id, "connectorId": connector_id})

    return await _give(request, plan)


@get("/commands")
async def list_commands(
    request: ApiRequest,
    station_id: FromQuery[str | None] = None,
    session_id: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[CommandView]:
    """Commands, the newest first."""
    filters = Filters()
    if station_id is not None:
        filters.add("t.identity = ?", station_id)
    if session_id is not None:
        filters.add("c.session_id = ?", normalise_session_id(session_id))
    if cursor is not None:
        number, command = parse_cursor(cursor, int, str)
        filters.add("(c.requested_at, c.id) < (?, ?)", cursor_instant(number), _cursor_command(command))
    rows, following = cut(await _rows(request, filters, limit + 1), limit, _sort_key)
    return Page([_view(row) for row in rows], following)


@get("/commands/{command_id:uuid}")
async def show_command(request: ApiRequest, command_id: FromPath[UUID]) -> CommandView:
    """One command."""
    filters = Filters()
    filters.add("c.id = ?", command_id)
    rows = await _rows(request, filters, 1)
    if not rows:
        raise NotFound("command", str(command_id))
    return _view(rows[0])


def is_v16(protocol: str | None) -> bool:
    """Whether this name of a protocol means OCPP 1.6."""
    return (protocol or "").removeprefix("ocpp") == "1.6"


async def _give(request: ApiRequest, plan: Plan) -> Response[CommandAnswer]:
    """Queue the planned command, wait for its end, and tell it; once per idempotency key.

    Raises: Conflict when the station is not connected, NoAnswer when the time is up, Invalid for a payload or action
    that its protocol does not have, TooMany when too many requests wait already.
    """
    if parts_of(request).command_answers.is_full:
        raise TooMany("too many commands wait for their stations", 5)
    command = uuid4()
    key = idempotency_key(request)
    async with asked(request, write=True) as connection:
        if key and (earlier := await claim(connection, request, key)):
            if earlier["status"] != HTTP_ACCEPTED:
                return earlier_answer(earlier)
            command = UUID(bytes=earlier["response"])
        else:
            await _queue(connection, request, await plan(connection), command)
            if key:
                await connection.execute(query("idempotency_done"), key, HTTP_ACCEPTED, command.bytes)
    try:
        answer = await _outcome(request, command)
    except LaddbokError as error:
        problem, _ = problem_of(error)
        await _keep(request, key, problem.status, problem)
        raise
    await _keep(request, key, 200, answer)
    return Response(answer, status_code=200)


async def _keep(request: ApiRequest, key: str | None, status: int, answer: msgspec.Struct) -> None:
    """Leave the answer for a request that repeats this one."""
    if key is not None:
        async with asked(request, write=True) as connection:
            await connection.execute(query("idempotency_done"), key, status, msgspec.json.encode(answer))


async def _queue(connection: asyncpg.Connection, request: ApiRequest, order: Order, command: UUID) -> None:
    station = await connection.fetchrow(query("station_for_command"), order.station_id)
    if station is None:
        raise NotFound("station", order.station_id)
    payload = _checked(station["protocol"], order)
    if not station["connected"] or station["owner"] is None:
        raise Conflict(f"station {order.station_id} is not connected")
    await connection.execute(
        query("command_add"), command, station["station_no"], order.action, payload.decode(),
        request.user.name, parts_of(request).clock.now(), order.session_id,
    )  # fmt: skip
    await connection.execute(query("command_announce"), f"{station['owner']}:{command}")


def _checked(protocol: str | None, order: Order) -> bytes:
    """The payload as it is sent.

    Raises: Invalid naming the field, or "action" when the station's protocol has no such call.
    """
    if protocol is None:
        raise Conflict(f"station {order.station_id} has never connected")
    return validate_command(order.action, order.payload, OcppVersion.V16 if is_v16(protocol) else OcppVersion.V201)


async def _outcome(request: ApiRequest, command: UUID) -> CommandAnswer:
    parts = parts_of(request)
    row: asyncpg.Record | None = None

    async def has_ended() -> bool:
        nonlocal row
        async with asked(request) as connection:
            row = await connection.fetchrow(query("command_result"), command)
        return row is not None and row["status"] in ENDED

    if not await parts.command_answers.wait(command, has_ended, parts.settings.command_time_limit_s):
        async with asked(request, write=True) as connection:
            await connection.execute(query("command_withdraw"), command, parts.clock.now())
        raise _no_answer(command, row)
    assert row is not None
    return _answer(command, row)


def _no_answer(command: UUID, row: asyncpg.Record | None) -> NoAnswer:
    what = f"station {row['station_id']} did not answer {row['action']}" if row else "the station did not answer"
    return NoAnswer(f"{what} in time", str(command))


def _answer(command: UUID, row: asyncpg.Record) -> CommandAnswer:
    told = msgspec.json.decode(row["answer"]) if row["answer"] else {}
    match row["status"]:
        case "answered":
            return CommandAnswer(str(command), "answered", payload=told)
        case "error":
            return CommandAnswer(str(command), "error", code=told.get("code"), description=told.get("description"))
        case "not_connected":
            raise Conflict(f"station {row['station_id']} is not connected")
        case _:
            raise _no_answer(command, row)


async def _wire(connection: asyncpg.Connection, session_id: str) -> asyncpg.Record:
    row = await connection.fetchrow(query("session_wire"), normalise_session_id(session_id))
    if row is None:
        raise NotFound("session of a station", session_id)
    return row


def _order(wire: asyncpg.Record, action: str, payload: dict[str, Any]) -> Order:
    return Order(wire["station_id"], action, payload, wire["id"])


async def _rows(request: ApiRequest, filters: Filters, limit: int) -> Sequence[asyncpg.Record]:
    async with asked(request) as connection:
        return await read_rows(connection, "command_rows", filters, limit)


def _sort_key(row: asyncpg.Record) -> tuple[int, str]:
    return (cursor_number(row["requested_at"]), str(row["id"]))


def _cursor_command(text: int | str) -> UUID:
    try:
        return UUID(str(text))
    except ValueError as error:
        raise Invalid("cursor", "not a cursor that this list gave out") from error


def _view(row: asyncpg.Record) -> CommandView:
    values = dict(row)
    values["payload"] = msgspec.json.decode(row["payload"])
    values["answer"] = msgspec.json.decode(row["answer"]) if row["answer"] else None
    return CommandView(**values)
