"""What stands in the books of a seller?

The balance of each account over some days, what was posted on one of them, and the journal as a SIE 4 file for the
bookkeeping program. Amounts are decimals; debit is above 0.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import asyncpg
import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery, QueryParameter

from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.billing.sie4 import name_of, sie4
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Invalid, NotFound
from laddbok.store import billing
from laddbok.store.ledger import journal, trial_balance
from laddbok.store.reads import Filters, parse_cursor

MAX_POSTINGS = 200_000
"""Of one SIE file."""
From = Annotated[date, QueryParameter(name="from", description="The first day.")]
To = Annotated[date, QueryParameter(name="to", description="The last day.")]


class AccountBalance(msgspec.Struct):
    """An account over some days: before them, what was debited and credited, and after them."""

    account: str
    name: str | None
    currency: str
    opening: Decimal
    debit: Decimal
    credit: Decimal
    closing: Decimal


class TrialBalance(msgspec.Struct, kw_only=True):
    """All accounts of a seller; their closing balances sum to `sum`, which is 0 in books that balance."""

    seller_id: str
    from_day: date = msgspec.field(name="from")
    to_day: date = msgspec.field(name="to")
    items: list[AccountBalance]
    sum: Decimal


class AccountPosting(msgspec.Struct):
    """One posting on an account, with its journal entry."""

    entry_id: int
    date: date
    text: str
    source_kind: str
    posted_at: datetime
    line: int
    account: str
    amount: Decimal
    currency: str
    invoice_id: str | None
    payer_id: str | None


@get("/ledger/accounts")
async def show_balance(request: ApiRequest, seller_id: FromQuery[str], from_day: From, to_day: To) -> TrialBalance:
    """The balance of every account of a seller."""
    _check_days(from_day, to_day)
    async with asked(request) as connection:
        await _seller(connection, request, seller_id)
        rows = await trial_balance(connection, request.user.tenant, seller_id, from_day, to_day)
    items = [AccountBalance(name=name_of(row["account"]), **row) for row in rows]
    total = sum((each.closing for each in items), Decimal(0))
    return TrialBalance(seller_id=seller_id, from_day=from_day, to_day=to_day, items=items, sum=total)


@get("/ledger/accounts/{account:str}/postings")
async def list_postings(
    request: ApiRequest,
    account: FromPath[str],
    seller_id: FromQuery[str],
    from_day: From,
    to_day: To,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[AccountPosting]:
    """What was posted on an account, the oldest first."""
    _check_days(from_day, to_day)
    filters = Filters()
    filters.add("j.legal_entity_id = ?", seller_id)
    filters.add("q.account = ?", account)
    filters.add("j.date BETWEEN ? AND ?", from_day, to_day)
    if cursor is not None:
        day, entry, line = parse_cursor(cursor, str, int, int)
        filters.add("(j.date, j.id, q.line) > (?, ?, ?)", _cursor_day(str(day)), entry, line)
    rows, following = await read_page(request, "ledger_entry_rows", filters, limit, _by_day)
    return Page([AccountPosting(*row.values()) for row in rows], following)


@get("/ledger/sie")
async def show_sie(request: ApiRequest, seller_id: FromQuery[str], from_day: From, to_day: To) -> Response[bytes]:
    """The journal as a SIE 4 file of transactions."""
    _check_days(from_day, to_day)
    async with asked(request) as connection:
        terms = await _seller(connection, request, seller_id)
        entries = await journal(connection, request.user.tenant, seller_id, from_day, to_day)
    if sum(len(entry.postings) for _, entry in entries) > MAX_POSTINGS:
        raise Invalid("to", f"more than {MAX_POSTINGS} postings: take fewer days")
    file = sie4(terms.seller, entries, parts_of(request).clock.now().date())
    name = f"{seller_id}-{from_day}-{to_day}.si"
    return Response(
        file, media_type="application/octet-stream", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


async def _seller(connection: asyncpg.Connection, request: ApiRequest, seller_id: str) -> SellerTerms:
    found = await billing.seller_terms(connection, request.user.tenant, seller_id)
    if not found:
        raise NotFound("legal entity", seller_id)
    return found[0]


def _check_days(from_day: date, to_day: date) -> None:
    if to_day < from_day:
        raise Invalid("to", "is before the first day")


def _cursor_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("cursor", "not a cursor that this list gave out") from None


def _by_day(row: asyncpg.Record) -> tuple[str, int, int]:
    return (row["date"].isoformat(), row["id"], row["line"])
