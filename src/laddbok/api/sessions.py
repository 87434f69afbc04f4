"""Which sessions are there, and what do we know of this one?

A list with filters and a search box that takes whatever is at hand: a session id as somebody typed it, or its first
letters, a transaction id, the beginning of a station's or a token's name.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

import asyncpg
from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter

from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, cut
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.session_view import SessionView, session_records, session_views, view
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.ids import normalise_session_id, session_id_begin
from laddbok.model.session import SessionState
from laddbok.sessions.authorize import normalise_token
from laddbok.store.reads import Filters, cursor_instant, cursor_number, parse_cursor
from laddbok.store.sql import query

MAX_SEARCH_CHARS = 200
FIRST_INSTANT = datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC)
LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The very first and last instant of the calendar would be kept as infinity; people mean "always" by them."""


@get("/sessions")
async def list_sessions(
    request: ApiRequest,
    station_id: FromQuery[str | None] = None,
    id_token: FromQuery[str | None] = None,
    in_state: Annotated[SessionState | None, QueryParameter(name="state")] = None,
    from_at: Annotated[datetime | None, QueryParameter(name="from", description="Begun at or after.")] = None,
    to_at: Annotated[datetime | None, QueryParameter(name="to", description="Begun before.")] = None,
    q: Annotated[str | None, QueryParameter(max_length=MAX_SEARCH_CHARS)] = None,
    order: FromQuery[Literal["-started_at", "started_at"]] = "-started_at",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[SessionView]:
    """Sessions by their begin, the youngest first unless ordered otherwise."""
    parts = parts_of(request)
    ascending = order == "started_at"
    filters = _chosen(station_id, id_token, in_state, from_at, to_at)
    if cursor is not None:
        _after(filters, cursor, ascending=ascending)
    sought = q.strip() if q else ""
    async with asked(request) as connection:
        if sought and await connection.fetchval(query("session_exists"), normalise_session_id(sought)):
            filters.add("s.id = ?", normalise_session_id(sought))
        elif sought:
            _search(filters, sought)
        records = await session_records(connection, filters, limit=limit + 1, ascending=ascending)
        rows, following = cut(records, limit, _sort_key)
        now = parts.clock.now()
        return Page([await view(connection, row, parts.prices, now) for row in rows], following)


@get("/sessions/{session_id:str}")
async def show_session(request: ApiRequest, session_id: FromPath[str]) -> SessionView:
    """One session; its id may be typed in any case, with or without dashes."""
    found = await _by_id(request, session_id)
    if found is None:
        raise NotFound("session", session_id)
    return found


async def _by_id(request: ApiRequest, text: str) -> SessionView | None:
    parts = parts_of(request)
    filters = Filters()
    filters.add("s.id = ?", normalise_session_id(text))
    async with asked(request) as connection:
        views = await session_views(connection, filters, parts.prices, parts.clock.now(), limit=1)
    return views[0] if views else None


def aware(instant: datetime, field: str) -> datetime:
    """The instant in UTC, between FIRST_INSTANT and LAST_INSTANT.

    Raises: Invalid when it does not say its zone, or lies outside the calendar in UTC.
    """
    if instant.tzinfo is None:
        raise Invalid(field, "needs a time zone, as in 2026-01-31T12:00:00Z")
    try:
        return min(max(instant.astimezone(UTC), FIRST_INSTANT), LAST_INSTANT)
    except OverflowError as error:
        raise Invalid(field, f"{instant.isoformat()} lies outside the calendar") from error


def _chosen(
    station_id: str | None,
    id_token: str | None,
    state: SessionState | None,
    from_at: datetime | None,
    to_at: datetime | None,
) -> Filters:
    filters = Filters()
    if station_id is not None:
        filters.add("s.station = ?", station_id)
    if id_token is not None:
        normal = normalise_token(id_token)
        filters.add("s.token IN (?, (SELECT a.token FROM id_token_alias a WHERE a.alias = ?))", normal, normal)
    if state is not None:
        filters.add("s.state = ?", state.value)
    if from_at is not None:
        filters.add("s.started_at >= ?", aware(from_at, "from"))
    if to_at is not None:
        filters.add("s.started_at < ?", aware(to_at, "to"))
    return filters


def _search(filters: Filters, text: str) -> None:
    # Of separators alone nothing is left as a token, and every token begins with nothing.
    filters.add(
        "(s.transaction_id = ? OR starts_with(lower(s.station), lower(?)) OR starts_with(s.token, nullif(?, ''))"
        " OR starts_with(s.id, ?))",
        text, text, normalise_token(text), session_id_begin(text),
    )  # fmt: skip


def _after(filters: Filters, cursor: str, *, ascending: bool) -> None:
    number, session_id = parse_cursor(cursor, int, str)
    started_at = cursor_instant(number)
    sign = ">" if ascending else "<"
    filters.add(f"s.started_at {sign}= ?", started_at)
    filters.add(f"(s.started_at, s.id) {sign} (?, ?)", started_at, session_id)


def _sort_key(row: asyncpg.Record) -> tuple[int, str]:
    return (cursor_number(row["started_at"]), row["id"])
