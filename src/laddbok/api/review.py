"""What waits for a person?

Sessions in review, the oldest first, each with its reasons, the engine's proposal and how its energy was found; and the
sessions before which a register had moved though nobody charged.
"""

from datetime import datetime, timedelta
from typing import Annotated

import asyncpg
import msgspec
from litestar import get
from litestar.params import FromQuery, QueryParameter

from laddbok.api.energy_view import EnergyView
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, cut, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.session_view import PriceSum, SessionView, TariffRef, session_records, view
from laddbok.api.sessions import aware
from laddbok.model.session import ReviewReason
from laddbok.store.reads import Filters, cursor_instant, cursor_number, parse_cursor
from laddbok.store.sql import query

GAPS_LOOK_BACK = timedelta(days=90)
"""How far back gaps are looked for unless the asker says from when: no index leads to them."""


class Proposal(msgspec.Struct):
    """What would be billed if a person accepted it. `price` is null with a `price_missing_reason`."""

    energy_wh: int | None
    started_at: datetime
    ended_at: datetime | None
    tariff: TariffRef | None
    price: PriceSum | None
    price_missing_reason: str | None


class ReviewItem(msgspec.Struct, kw_only=True):
    """A session in review. `age_s` counts from its end; `decided_by` is who has decided when a worker has yet to act."""

    session_id: str
    version: int
    station_id: str
    site_id: str | None
    evse_id: int | None
    id_token: str | None
    reasons: list[str]
    age_s: int
    energy: EnergyView | None
    proposal: Proposal
    decided_by: str | None


class ReasonCount(msgspec.Struct):
    """How many sessions are held for a reason; one session may have several."""

    reason: str
    sessions: int


class ReviewPage(Page[ReviewItem], kw_only=True):
    """Some sessions in review. `total` and `counts` are of the site, whatever the reason asked for."""

    total: int
    counts: list[ReasonCount]


class GapView(msgspec.Struct, kw_only=True):
    """The register moved by `gap_wh` between two sessions of an EVSE: other use, a lost session, or another register."""

    session_id: str
    station_id: str
    site_id: str | None
    evse_id: int | None
    started_at: datetime
    gap_wh: int
    before_session_id: str | None
    before_wh: int | None
    before_at: datetime | None


class HeldCorrection(msgspec.Struct, kw_only=True):
    """A settled session of which later messages tell `told_wh` where `energy_wh` was billed; nothing was changed yet."""

    session_id: str
    station_id: str
    site_id: str | None
    evse_id: int | None
    at: datetime
    energy_wh: int | None
    told_wh: int | None
    reasons: list[str]


@get("/review")
async def list_review(
    request: ApiRequest,
    reason: FromQuery[ReviewReason | None] = None,
    site_id: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ReviewPage:
    """Sessions in review, the oldest first, with how many there are for each reason."""
    parts = parts_of(request)
    filters = Filters()
    filters.add("s.state = 'review'")  # written out, so that the index of these alone serves it
    if reason is not None:
        filters.add("? = ANY(s.review_reasons)", reason.value)
    if site_id is not None:
        filters.add("s.site_id = ?", site_id)
    if cursor is not None:
        number, session_id = parse_cursor(cursor, int, str)
        filters.add("(s.started_at, s.id) > (?, ?)", cursor_instant(number), session_id)
    now = parts.clock.now()
    async with asked(request) as connection:
        records = await session_records(connection, filters, limit=limit + 1, ascending=True)
        rows, following = cut(records, limit, _by_begin)
        sessions = [await view(connection, row, parts.prices, now) for row in rows]
        decided = await _decided_by(connection, sessions)
        counts = {row["reason"]: row["sessions"] for row in await connection.fetch(query("review_counts"), site_id)}
    total = counts.pop(None, 0)
    items = [_item(session, decided.get(session.id), now) for session in sessions]
    return ReviewPage(items, following, total=total, counts=[ReasonCount(*each) for each in counts.items()])


@get("/corrections")
async def list_corrections(
    request: ApiRequest,
    site_id: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[HeldCorrection]:
    """Corrections of settled sessions that a person must see first, the newest first. Reopen or correct them."""
    filters = Filters()
    filters.add("true")
    if site_id is not None:
        filters.add("s.site_id = ?", site_id)
    if cursor is not None:
        number, session_id = parse_cursor(cursor, int, str)
        filters.add("(d.at, s.id) < (?, ?)", cursor_instant(number), session_id)
    rows, following = await read_page(request, "held_corrections", filters, limit, _by_instant)
    return Page([_held(row) for row in rows], following)


@get("/gaps")
async def list_gaps(
    request: ApiRequest,
    station_id: FromQuery[str | None] = None,
    from_at: Annotated[
        datetime | None, QueryParameter(name="from", description="Begun at or after; 90 days ago when left out.")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[GapView]:
    """Sessions before which the register had moved though no session ran, the newest first."""
    filters = Filters()
    since = aware(from_at, "from") if from_at else parts_of(request).clock.now() - GAPS_LOOK_BACK
    filters.add("s.started_at >= ?", since)
    if station_id is not None:
        filters.add("s.station = ?", station_id)
    if cursor is not None:
        number, session_id = parse_cursor(cursor, int, str)
        filters.add("(s.started_at, s.id) < (?, ?)", cursor_instant(number), session_id)
    rows, following = await read_page(request, "gap_rows", filters, limit, _by_begin)
    return Page([_gap(row) for row in rows], following)


async def _decided_by(connection: asyncpg.Connection, sessions: list[SessionView]) -> dict[str, str]:
    """Who has decided about these sessions, where a worker has yet to carry it out."""
    rows = await connection.fetch(query("decisions_pending"), [session.id for session in sessions])
    return {row["id"]: row["decided_by"] for row in rows}


def _item(session: SessionView, decided_by: str | None, now: datetime) -> ReviewItem:
    since = session.ended_at or session.started_at
    energy_wh = session.energy.energy_wh if session.energy else session.energy_wh
    price, reason = session.price, session.price_missing_reason
    if energy_wh is None:  # a register may have been followed for a while; nothing of that is believed
        price, reason = None, "no_meter_reading"
    proposal = Proposal(energy_wh, session.started_at, session.ended_at, session.tariff, price, reason)
    return ReviewItem(
        session_id=session.id, version=session.version, station_id=session.station_id, site_id=session.site_id,
        evse_id=session.evse_id, id_token=session.id_token, reasons=session.review_reasons,
        age_s=max(0, (now - since) // timedelta(seconds=1)), energy=session.energy, proposal=proposal, decided_by=decided_by,
    )  # fmt: skip


def _gap(row: asyncpg.Record) -> GapView:
    return GapView(
        session_id=row["id"], station_id=row["station"], site_id=row["site_id"], evse_id=row["evse_id"],
        started_at=row["started_at"], gap_wh=row["gap_wh"], before_session_id=row["before_id"], before_wh=row["before_wh"],
        before_at=row["before_at"],
    )  # fmt: skip


def _held(row: asyncpg.Record) -> HeldCorrection:
    return HeldCorrection(
        session_id=row["id"], station_id=row["station"], site_id=row["site_id"], evse_id=row["evse_id"], at=row["at"],
        energy_wh=row["energy_wh"], told_wh=row["told_wh"], reasons=row["reasons"],
    )  # fmt: skip


def _by_instant(row: asyncpg.Record) -> tuple[int, str]:
    return (cursor_number(row["at"]), row["id"])


def _by_begin(row: asyncpg.Record) -> tuple[int, str]:
    return (cursor_number(row["started_at"]), row["id"])
