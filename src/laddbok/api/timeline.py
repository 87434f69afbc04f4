"""What happened in this session?

Every frame that bears on it with our answer, every recorded decision and every command, in the order in which we
learned of them, each in plain words and with the raw text beside it. Curves of power, energy and state of charge are
decoded from the same frames when somebody looks.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg
import msgspec
from litestar import get
from litestar.params import FromPath

from laddbok.api.deeds_text import answered, commanded, decided, deed
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, cut
from laddbok.api.parts import ApiRequest, asked
from laddbok.api.session_frames import VERSIONS, read_call, read_event
from laddbok.api.session_view import facts_of
from laddbok.api.timeline_text import Text, told
from laddbok.flow.session_wire import SessionWire
from laddbok.model.errors import NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.sessions.authorize import normalise_token
from laddbok.store.reads import cursor_instant, cursor_number, parse_cursor
from laddbok.store.sql import query

_START = datetime(1, 1, 1, tzinfo=UTC)


class TimelineItem(msgspec.Struct):
    """Something that happened. `at`: when, by the station's clock if it said so; `received_at`: when we learned it.

    `direction` of a frame: i from the station, o from us, r the station's answer to us.
    """

    at: datetime
    received_at: datetime
    kind: str
    direction: str | None
    action: str
    text: Text
    raw: str | None
    answer: str | None
    epoch: int | None
    seq: int | None


class Subject(NamedTuple):
    """The session that a timeline is of."""

    id: str
    wire: SessionWire
    begin_wh: int | None


@get("/sessions/{session_id:str}/timeline")
async def show_timeline(
    request: ApiRequest, session_id: FromPath[str], limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[TimelineItem]:
    """What happened, oldest first. A page may hold fewer items than asked for though more follow."""
    after: tuple[object, ...] = (_START, 0, 0, 0)
    if cursor is not None:
        at, *rest = parse_cursor(cursor, int, int, int, int)
        after = (cursor_instant(at), *rest)
    async with asked(request) as connection:
        return await timeline_of(connection, session_id, limit, after)


async def timeline_of(
    connection: asyncpg.Connection, session_id: str, limit: int, after: tuple[object, ...] = (_START, 0, 0, 0)
) -> Page[TimelineItem]:
    """A page of what happened in a session, oldest first.

    Args: connection: in the asker's name. after: the sort key of the last item seen.
    Raises: NotFound.
    """
    subject = await subject_of(connection, session_id)
    found = await connection.fetch(query("session_timeline"), subject.id, *after, limit + 1)
    rows, following = cut(found, limit, _sort_key)
    items: list[TimelineItem] = []
    for number, row in enumerate(rows):
        if number % 50 == 49:
            await asyncio.sleep(0)
        if item := _item(subject, row):
            items.append(item)
    return Page(items, following)


async def subject_of(connection: asyncpg.Connection, session_id: str) -> Subject:
    """The session of this id, as its frames name it.

    Raises: NotFound.
    """
    row = await connection.fetchrow(query("session_subject"), normalise_session_id(session_id))
    if row is None:
        raise NotFound("session", session_id)
    token = normalise_token(row["id_token"]) if row["id_token"] else None
    wire = SessionWire(row["transaction_id"], row["evse_id"], token)
    return Subject(row["id"], wire, facts_of(row["body"]).meter.begin_wh)


def _item(subject: Subject, row: asyncpg.Record) -> TimelineItem | None:
    if row["kind"] == "frame":
        return _frame_item(subject, row)
    body = msgspec.json.decode(row["body"])
    if row["kind"] == "decision":
        text = decided(row["action"], row["by_whom"], body)
    else:
        text = commanded(row["action"], row["by_whom"], body)
    at = row["received_at"]
    return TimelineItem(at, at, row["kind"], None, row["action"], text, row["body"], None, None, row["seq"])


def _frame_item(subject: Subject, row: asyncpg.Record) -> TimelineItem | None:
    """The item of a frame; None when it is about another session."""
    version = VERSIONS[row["protocol"]]
    at: datetime | None = None
    if row["direction"] == "i":
        event = read_event(row["raw"], version)
        if event is not None and not subject.wire.concerns(event):
            return None
        text = _not_understood(row["action"]) if event is None else told(event, subject.begin_wh)
        if row["answer"] is not None and (verdict := answered(row["answer"], version, by_us=True)).en:
            text = text + Text(". ", ". ") + verdict
        at = _stamp(event)
    elif row["direction"] == "o":
        call = read_call(row["raw"], version)
        payload = msgspec.json.decode(call.payload) if call else {}
        if not subject.wire.is_asked(payload):
            return None
        text = Text("Vi bad stationen: ", "We asked the station: ") + deed(row["action"])
    else:
        text = answered(row["raw"], version, by_us=False)
    return TimelineItem(
        at or row["received_at"], row["received_at"], "frame", row["direction"], row["action"], text,
        _text(row["raw"]), _text(row["answer"]), row["epoch"], row["seq"],
    )  # fmt: skip


def _not_understood(action: str) -> Text:
    return Text(f"{action} gick inte att förstå", f"{action} could not be understood")


def _stamp(event: Any) -> datetime | None:
    at = getattr(event, "at", None)
    samples = getattr(event, "samples", ())
    return at or (samples[-1].at if samples else None)


def _text(raw: bytes | None) -> str | None:
    return raw.decode("utf-8", "replace") if raw is not None else None


def _sort_key(row: asyncpg.Record) -> tuple[int, int, int, int]:
    return (cursor_number(row["received_at"]), row["rank"], row["epoch"], row["seq"])
