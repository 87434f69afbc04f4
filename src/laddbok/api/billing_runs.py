"""How is a month billed, and what will happen before it happens?

A month is looked at first: a worker plans its documents and tells the sums, what is in the way and which sessions are left
out. Then an administrator lets it become final. Both are asked for here and done by a worker; ask again to see how far it is.
"""

from datetime import date, datetime
from typing import Annotated

import asyncpg
import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from laddbok.api.door import ADMINISTRATOR
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.writes import IdempotencyKey, written
from laddbok.billing.draft import Period
from laddbok.flow.billing_jobs import BILLING_PLAN, BILLING_RUN, key_of
from laddbok.flow.billing_outlook import Outlook
from laddbok.flow.billing_run import is_final_time, period_of
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.store import billing
from laddbok.store.reads import Filters, cursor_instant, cursor_number, parse_cursor
from laddbok.store.rows import as_json
from laddbok.store.sql import query

"""The kinds of the jobs that a worker does; their key is tenant, seller and month."""
Month = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}$", description="YYYY-MM")]
_outlook = msgspec.json.Decoder(Outlook)


class MonthToBill(msgspec.Struct, forbid_unknown_fields=True):
    """A seller and a month."""

    seller_id: str
    month: Month


class RunWanted(MonthToBill, forbid_unknown_fields=True, kw_only=True):
    """A month to be made final; `early`: though late sessions are still awaited."""

    early: bool = False


class PlanView(msgspec.Struct, kw_only=True):
    """What billing a month would do.

    `asked_at` null: nobody has asked yet. `result` null: a worker is looking, `customers` of them so far. `final_from` is the first day on which late sessions are not awaited any more. `trouble` is why a worker gave up.
    """

    seller_id: str
    month: str
    period_start: date
    period_end: date
    final_from: date
    awaits_late_sessions: bool
    asked_at: datetime | None = None
    asked_by: str | None = None
    customers: int = 0
    ended_at: datetime | None = None
    trouble: str | None = None
    result: Outlook | None = None


class RunView(msgspec.Struct, kw_only=True):
    """A run: `done` of `planned` documents are final; `ended_at` null: a worker is at it."""

    seller_id: str
    month: str
    period_start: date
    period_end: date
    started_at: datetime
    started_by: str
    planned: int
    done: int
    ended_at: datetime | None
    trouble: str | None
    result: Outlook | None


@post("/billing-runs/plan", status_code=202, opt=ADMINISTRATOR)
async def plan_run(
    request: ApiRequest, data: JSONBody[MonthToBill], idempotency_key: IdempotencyKey = None
) -> Response[PlanView]:
    """Let a worker look at what billing a month would do."""
    now = parts_of(request).clock.now()

    async def work(connection: asyncpg.Connection) -> PlanView:
        terms, period = await _period(connection, request, data.seller_id, data.month)
        await connection.execute(
            query("billing_plan_ask"), data.seller_id, period.start, now, request.user.full_name or request.user.name
        )
        await _queue(connection, request, BILLING_PLAN, data)
        return await _plan(connection, request, terms, period)

    return await written(request, work, status=202)


@get("/billing-runs/plan")
async def show_plan(request: ApiRequest, seller_id: FromQuery[str], month: FromQuery[Month]) -> PlanView:
    """What was found when a month was looked at last, or how far the look is."""
    async with asked(request) as connection:
        terms, period = await _period(connection, request, seller_id, month)
        return await _plan(connection, request, terms, period)


@post("/billing-runs", status_code=202, opt=ADMINISTRATOR)
async def start_run(
    request: ApiRequest, data: JSONBody[RunWanted], idempotency_key: IdempotencyKey = None
) -> Response[RunView]:
    """Let a month become final, after it was looked at."""
    now = parts_of(request).clock.now()

    async def work(connection: asyncpg.Connection) -> RunView:
        terms, period = await _period(connection, request, data.seller_id, data.month)
        plan = await _plan(connection, request, terms, period)
        if plan.result is None:
            raise Conflict(f"look at {data.month} of {data.seller_id} first: what would happen is not known")
        if plan.awaits_late_sessions and not data.early:
            raise Conflict(
                f"late sessions of {data.month} are awaited until {plan.final_from}; early: make it final now"
            )
        run_id = f"{data.seller_id}/{data.month}"
        name = request.user.full_name or request.user.name
        begun = await connection.fetchval(
            query("billing_run_ask"), run_id, data.seller_id, period.start, period.end, now, name, plan.result.documents
        )
        if begun is None:
            raise Conflict(f"{run_id} is being billed at this moment")
        await _queue(connection, request, BILLING_RUN, data)
        return await _run(connection, run_id)

    return await written(request, work, status=202)


@get("/billing-runs")
async def list_runs(
    request: ApiRequest,
    seller_id: Annotated[str | None, QueryParameter(description="Of one legal entity.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[RunView]:
    """Runs, the newest first."""
    filters = Filters()
    if seller_id is not None:
        filters.add("r.legal_entity_id = ?", seller_id)
    if cursor is not None:
        number, run_id = parse_cursor(cursor, int, str)
        filters.add("(r.started_at, r.id) < (?, ?)", cursor_instant(number), run_id)
    rows, following = await read_page(request, "billing_run_rows", filters, limit, _by_start)
    return Page([_run_view(row) for row in rows], following)


@get("/billing-runs/{seller_id:str}/{month:str}")
async def show_run(request: ApiRequest, seller_id: FromPath[str], month: FromPath[str]) -> RunView:
    """One run, and how far it is."""
    async with asked(request) as connection:
        return await _run(connection, f"{seller_id}/{month}")


async def _period(
    connection: asyncpg.Connection, request: ApiRequest, seller_id: str, month: str
) -> tuple[SellerTerms, Period]:
    found = await billing.seller_terms(connection, request.user.tenant, seller_id)
    if not found:
        raise NotFound("legal entity", seller_id)
    period = period_of(month, found[0], parts_of(request).clock.now())
    if period.start > period.issue:
        raise Invalid("month", "has not begun")
    return found[0], period


async def _queue(connection: asyncpg.Connection, request: ApiRequest, kind: str, month: MonthToBill) -> None:
    tenant = request.user.tenant
    job = {"tenant": tenant, "kind": kind, "key": key_of(tenant, month.seller_id, month.month)}
    await connection.execute(query("add_jobs"), as_json([{**job, "due_at": parts_of(request).clock.now()}]))


async def _plan(connection: asyncpg.Connection, request: ApiRequest, terms: SellerTerms, period: Period) -> PlanView:
    seller_id, month = terms.seller.id, f"{period.start:%Y-%m}"
    key = key_of(request.user.tenant, seller_id, month)
    row = await connection.fetchrow(query("billing_plan_row"), seller_id, period.start, key)
    plan = PlanView(
        seller_id=seller_id,
        month=month,
        period_start=period.start,
        period_end=period.end,
        final_from=date.fromordinal(period.end.toordinal() + terms.draft_days + 1),
        awaits_late_sessions=not is_final_time(period, terms),
    )
    if row is None:
        return plan
    found = {name: row[name] for name in ("asked_at", "asked_by", "customers", "ended_at")}
    result = _outlook.decode(row["result"]) if row["result"] else None
    return msgspec.structs.replace(plan, trouble=_trouble(row), result=result, **found)


async def _run(connection: asyncpg.Connection, run_id: str) -> RunView:
    filters = Filters()
    filters.add("r.id = ?", run_id)
    return _run_view(await read_one(connection, "billing_run_rows", filters, "billing run", run_id))


def _run_view(row: asyncpg.Record) -> RunView:
    names = ("seller_id", "period_start", "period_end", "started_at", "started_by", "planned", "done", "ended_at")
    return RunView(
        month=f"{row['period_start']:%Y-%m}",
        trouble=_trouble(row),
        result=_outlook.decode(row["result"]) if row["result"] else None,
        **{name: row[name] for name in names},
    )


def _trouble(row: asyncpg.Record) -> str | None:
    return row["last_error"] if row["ended_at"] is None else None


def _by_start(row: asyncpg.Record) -> tuple[int, str]:
    return (cursor_number(row["started_at"]), row["id"])
