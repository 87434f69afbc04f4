"""To which session does a message belong whose transaction nobody knew?

Such a message was acknowledged and kept. A person says which session it belongs to, or that a session is to be made of it;
that wish is written beside it with a job, in one transaction, and a worker carries it out or says why it can't.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

import asyncpg
import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from laddbok.api.decisions import ACCEPTED
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, cut
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.session_frames import VERSIONS, read_event
from laddbok.api.timeline_text import Text, told
from laddbok.api.writes import IdempotencyKey, written
from laddbok.flow.orphans import Wanted
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.events import Event, TransactionEnded
from laddbok.model.ids import normalise_session_id
from laddbok.model.session import OPEN_STATES
from laddbok.sessions.authorize import MAX_TOKEN_LENGTH, normalise_token
from laddbok.sessions.review import MAX_REASON_CHARS
from laddbok.store.reads import Filters, cursor_instant, cursor_number, parse_cursor, read_rows
from laddbok.store.rows import as_json
from laddbok.store.sql import query

MAX_CANDIDATES = 5
CANDIDATES_LOOK_BACK = timedelta(days=30)
MATCH_JOB = "match_orphan"


class Candidate(msgspec.Struct):
    """A session to which an orphan could belong; why it could is told by its state and the three flags."""

    session_id: str
    state: str
    evse_id: int | None
    id_token: str | None
    started_at: datetime
    ended_at: datetime | None
    energy_wh: int | None
    closed_softly: bool
    same_token: bool
    same_evse: bool


class OrphanView(msgspec.Struct, kw_only=True):
    """A message about a transaction that nobody knew. `at`, `register_wh` and `id_token` are what it says, if it says so;
    `text` says it in words. `wanted` is a person's wish, `match_error` why it could not be carried out.
    """

    station_id: str
    site_id: str | None
    epoch: int
    seq: int
    received_at: datetime
    action: str
    transaction_id: str | None
    evse_id: int | None
    at: datetime | None
    register_wh: int | None
    id_token: str | None
    text: Text | None
    raw: str | None
    candidates: list[Candidate]
    wanted: Wanted | None
    matched_session_id: str | None
    match_error: str | None


class NewMatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an orphan belongs to: a session of its station, or an EVSE where nobody recorded one, with its driver's token."""

    reason: Annotated[str, msgspec.Meta(max_length=MAX_REASON_CHARS)]
    session_id: str | None = None
    evse_id: Annotated[int, msgspec.Meta(ge=1, le=9_999)] | None = None
    connector_id: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    id_token: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TOKEN_LENGTH)] | None = None


class MatchWanted(msgspec.Struct):
    """A wish that was recorded; a worker carries it out."""

    station_id: str
    epoch: int
    seq: int
    wanted: Wanted


class Said(NamedTuple):
    """What an orphan's frame says."""

    event: Event | None
    at: datetime | None
    register_wh: int | None
    id_token: str | None


@get("/orphans")
async def list_orphans(
    request: ApiRequest,
    which: FromQuery[Literal["unmatched", "all"]] = "unmatched",
    station_id: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[OrphanView]:
    """Messages about transactions that nobody knew, the newest first, with the sessions that they could belong to."""
    filters = Filters()
    if which == "unmatched":
        filters.add("o.matched_session_id IS NULL")
    if station_id is not None:
        filters.add("t.identity = ?", station_id)
    if cursor is not None:
        at, *rest = parse_cursor(cursor, int, int, int, int)
        after = "(o.received_at < ? OR (o.received_at = ? AND (o.station_no, o.connection_epoch, o.seq) > "
        filters.add(f"{after}(?::bigint, ?, ?::bigint)))", *(cursor_instant(at),) * 2, *rest)
    async with asked(request) as connection:
        rows, following = cut(await read_rows(connection, "orphan_rows", filters, limit + 1), limit, _sort_key)
        said = [_said(row) for row in rows]
        candidates = await _candidates(connection, rows, said)
    views = [_view(row, told_, candidates.get(n, [])) for n, (row, told_) in enumerate(zip(rows, said, strict=True))]
    return Page(views, following)


@post("/orphans/{station_id:str}/{epoch:int}/{seq:int}/match", status_code=ACCEPTED)
async def match_orphan(
    request: ApiRequest,
    station_id: FromPath[str],
    epoch: FromPath[int],
    seq: FromPath[int],
    data: JSONBody[NewMatch],
    idempotency_key: IdempotencyKey = None,
) -> Response[MatchWanted]:
    """Say to which session an orphan belongs, or at which EVSE its session is to be made; a worker does it."""

    async def work(connection: asyncpg.Connection) -> MatchWanted:
        found = await _subject(connection, station_id, epoch, seq)
        now = parts_of(request).clock.now()
        wanted = await _wanted(connection, data, found["station_no"], request.user.name, now)
        text = msgspec.json.encode(wanted).decode()
        place = (found["station_no"], epoch, seq)
        if await connection.fetchval(query("orphan_want"), *place, text, found["wanted"]) is None:
            raise Conflict(f"somebody else matches this message of {station_id} at this moment")
        key = "/".join(map(str, place))
        job = {"tenant": request.user.tenant, "kind": MATCH_JOB, "key": key, "due_at": now}
        await connection.execute(query("add_jobs"), as_json([job]))
        return MatchWanted(station_id, epoch, seq, wanted)

    return await written(request, work, status=ACCEPTED)


async def _subject(connection: asyncpg.Connection, station_id: str, epoch: int, seq: int) -> asyncpg.Record:
    """The orphan at this place. Raises: NotFound; Conflict when it is matched, or an earlier wish waits for its worker."""
    name = f"{station_id} {epoch}/{seq}"
    found = None
    if epoch < 2**63 and seq < 2**31:
        found = await connection.fetchrow(query("orphan_subject"), station_id, epoch, seq)
    if found is None:
        raise NotFound("orphan", name)
    if found["matched_session_id"] is not None:
        raise Conflict(f"orphan {name} belongs to session {found['matched_session_id']} already")
    if found["waits"]:
        by = msgspec.json.decode(found["wanted"], type=Wanted).by
        raise Conflict(f"orphan {name} is being matched as {by} wanted")
    return found


async def _wanted(connection: asyncpg.Connection, data: NewMatch, station_no: int, by: str, now: datetime) -> Wanted:
    """The wish, if it can be one. Raises: Invalid, naming the field; Conflict when the session is not settled yet."""
    if not data.reason.strip():
        raise Invalid("reason", "is missing")
    if (data.session_id is None) == (data.evse_id is None):
        raise Invalid("session_id", "name either the session, or the EVSE where there is none")
    session_id = None if data.session_id is None else normalise_session_id(data.session_id)
    there = await connection.fetchrow(query("match_subject"), station_no, session_id, data.evse_id)
    assert there is not None
    if session_id is not None:
        for field in ("connector_id", "id_token"):
            if getattr(data, field) is not None:
                raise Invalid(field, "goes with an EVSE, not with a session, which has its own")
        if there["state"] is None:
            raise Invalid("session_id", "is no session of this station")
        if there["state"] in OPEN_STATES:
            raise Conflict(f"session {session_id} is not settled yet: its own stop may still come")
    elif not there["has_evse"]:
        raise Invalid("evse_id", "is no EVSE of this station")
    return Wanted(
        reason=data.reason.strip(), by=by, at=now, session_id=session_id, evse_id=data.evse_id,
        connector_id=data.connector_id,
        id_token=await _registered(connection, data.id_token),
    )  # fmt: skip


async def _registered(connection: asyncpg.Connection, id_token: str | None) -> str | None:
    """The token as it was registered. Raises: Invalid when nobody did."""
    if id_token is None:
        return None
    presented: str | None = await connection.fetchval(query("token_presented"), normalise_token(id_token))
    if presented is None:
        raise Invalid("id_token", "is not registered: add it first, with its contract")
    return presented


def _said(row: asyncpg.Record) -> Said:
    event = read_event(row["raw"], VERSIONS[row["protocol"]]) if row["raw"] is not None else None
    if event is None:
        return Said(None, None, None, None)
    samples = getattr(event, "samples", ())
    registers = [sample.register_wh for sample in samples if sample.register_wh is not None]
    register_wh = event.register_wh if isinstance(event, TransactionEnded) else None
    at = getattr(event, "at", None) or (samples[-1].at if samples else None)
    token = getattr(event, "id_token", None)
    return Said(
        event,
        at,
        register_wh if register_wh is not None else next(reversed(registers), None),
        token.value if token else None,
    )


async def _candidates(
    connection: asyncpg.Connection, rows: Sequence[asyncpg.Record], said: Sequence[Said]
) -> dict[int, list[Candidate]]:
    """The sessions to which each of these orphans could belong, by its place among them."""
    if not rows:
        return {}
    tokens = [normalise_token(each.id_token) if each.id_token else None for each in said]
    asked_for = (
        list(range(len(rows))), [row["station_no"] for row in rows],
        [_time_of(row, each) for row, each in zip(rows, said, strict=True)], tokens, [row["evse_id"] for row in rows],
    )  # fmt: skip
    found: dict[int, list[Candidate]] = {}
    for row in await connection.fetch(query("orphan_candidates"), *asked_for, CANDIDATES_LOOK_BACK, MAX_CANDIDATES):
        values = {name: row[name] for name in Candidate.__struct_fields__ if name != "session_id"}
        found.setdefault(row["n"], []).append(Candidate(session_id=row["id"], **values))
    return found


def _time_of(row: asyncpg.Record, said: Said) -> datetime:
    """When it was said, as far as that can be believed: not after it was received."""
    received_at: datetime = row["received_at"]
    return min(said.at, received_at) if said.at and said.at > received_at - CANDIDATES_LOOK_BACK else received_at


def _view(row: asyncpg.Record, said: Said, candidates: list[Candidate]) -> OrphanView:
    wanted: Any = row["wanted"]
    return OrphanView(
        station_id=row["station_id"], site_id=row["site_id"], epoch=row["epoch"], seq=row["seq"],
        received_at=row["received_at"], action=row["action"], transaction_id=row["transaction_id"], evse_id=row["evse_id"],
        at=said.at, register_wh=said.register_wh, id_token=said.id_token,
        text=None if said.event is None else told(said.event),
        raw=row["raw"].decode("utf-8", "replace") if row["raw"] is not None else None, candidates=candidates,
        wanted=None if wanted is None else msgspec.json.decode(wanted, type=Wanted),
        matched_session_id=row["matched_session_id"], match_error=row["match_error"],
    )  # fmt: skip


def _sort_key(row: asyncpg.Record) -> tuple[int, int, int, int]:
    return (cursor_number(row["received_at"]), row["station_no"], row["epoch"], row["seq"])
