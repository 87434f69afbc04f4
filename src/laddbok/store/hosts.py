"""How are hosts settled with, each once a month, and for each session once?

Host by host in a transaction of its own: what its sessions took and cost is read, the statement is checked, numbered, frozen
and posted like every other document, and what it covers is marked. A session that comes late, or is credited, is on the
next month's statement.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.billing.draft import Period
from laddbok.billing.host_settlement import SiteUse, statement
from laddbok.flow.billing_run import InTheWay, Planned, PositionKey, ends_before
from laddbok.model.billing import Customer, SellerTerms
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.host import parse_host_terms
from laddbok.model.invoice import Address, Invoice, Seller
from laddbok.rating.month_fee import Month, held_days, part_of_fee
from laddbok.store.billing import finalise
from laddbok.store.sql import query

Check = Callable[[Planned], Sequence[InTheWay]]


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What a host gets for a month. `id` None: it was only shown, or something is in the way."""

    host_id: str
    name: str
    sessions: int
    energy_wh: int
    net: Decimal
    payable: Decimal
    id: str | None = None
    in_the_way: tuple[InTheWay, ...] = ()


class _Drawn(msgspec.Struct, frozen=True):
    draft: Invoice | None
    keys: list[PositionKey]
    energy_wh: int


async def agree(
    connection: asyncpg.Connection, tenant: int, site_id: str, host_id: str, since: datetime, document: bytes, by: str
) -> None:
    """From an instant on, this holds for a site; what held before ends there.

    Raises: Invalid; NotFound when there is no such site or host; Conflict when something was agreed from that very instant on.
    """
    parse_host_terms(document)
    try:
        async with connection.transaction():
            await connection.execute(query("host_agreement_end"), tenant, site_id, since)
            await connection.execute(
                query("host_agreement_put"), tenant, site_id, host_id, since, document.decode(), by
            )
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("site and host", f"{site_id} and {host_id}") from None
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is an agreement for {site_id} from {since.isoformat()} on") from None


async def end_agreement(connection: asyncpg.Connection, tenant: int, site_id: str, since: datetime) -> bool:
    """From an instant on, nothing is agreed for a site. Returns: whether something was."""
    told: str = await connection.execute(query("host_agreement_end"), tenant, site_id, since)
    return told != "UPDATE 0"


async def settle_hosts(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    period: Period,
    now: datetime,
    check: Check,
    *,
    final: bool,
) -> list[Settled]:
    """Settle a month with every host of a seller that it is not settled with yet.

    Args: check, what is in the way of a statement becoming final; final, False: it is only shown.
    Returns: the hosts that get something, or have something in the way.
    Raises: Conflict when the month is not over, or somebody else settles it at the same time.
    Source: docs/rules.md "Hosts".
    """
    month, end_at = Month(period.start.year, period.start.month), ends_before(period, terms)
    if now < end_at:
        raise Conflict(f"{month} is not over")
    start_at = datetime(month.year, month.month, 1, tzinfo=ZoneInfo(terms.time_zone))
    rows = await connection.fetch(query("host_agreements"), tenant, terms.seller.id, start_at, end_at, str(month))
    settled = []
    for _, group in groupby(rows, key=itemgetter("host_id")):
        try:
            async with connection.transaction():
                found = await _settle(connection, tenant, terms, period, list(group), now, check, final=final)
        except asyncpg.UniqueViolationError:
            raise Conflict(f"somebody else settles {month} of {terms.seller.id}") from None
        settled += [found] if found else []
    return settled


async def _settle(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, period: Period, rows: Sequence[asyncpg.Record],
    now: datetime, check: Check, *, final: bool,
) -> Settled | None:  # fmt: skip
    host = rows[0]
    try:
        drawn = await _drawn(connection, tenant, terms, period, rows)
    except Invalid as error:
        stop = InTheWay(None, f"host {host['host_id']}: {error.field}", error.reason)
        nothing = Decimal(0)
        return Settled(
            host_id=host["host_id"], name=host["name"], sessions=0, energy_wh=0, net=nothing, payable=nothing, in_the_way=(stop,)
        )  # fmt: skip
    if drawn.draft is None:
        return None
    totals = drawn.draft.totals
    planned = Planned(Customer(buyer=drawn.draft.buyer), drawn.draft, ())
    told = Settled(
        host_id=host["host_id"], name=host["name"], sessions=len({key.session_id for key in drawn.keys}),
        energy_wh=drawn.energy_wh, net=totals.net, payable=totals.payable, in_the_way=tuple(check(planned)),
    )  # fmt: skip
    if told.in_the_way or not final:
        return told
    [made] = await finalise(connection, tenant, terms, [planned], None, now)
    columns = ([getattr(key, name) for key in drawn.keys] for name in ("session_id", "revision", "kind"))
    await connection.execute(query("host_settled_add"), tenant, *columns, made.id)
    month = f"{period.start:%Y-%m}"
    await connection.execute(query("host_settlement_add"), tenant, terms.seller.id, host["host_id"], month, made.id)
    return msgspec.structs.replace(told, id=made.id)


async def _drawn(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, period: Period, rows: Sequence[asyncpg.Record]
) -> _Drawn:
    """A host's draft over its agreements, and the positions that it covers."""
    zone, month = ZoneInfo(terms.time_zone), Month(period.start.year, period.start.month)
    uses, keys = [], []
    for row in rows:
        agreed = parse_host_terms(row["document"].encode())
        arguments = (row["site_id"], row["valid_from"], row["valid_to"], ends_before(period, terms), terms.currency)
        positions = await connection.fetch(query("host_positions"), tenant, terms.seller.id, *arguments)
        keys += [PositionKey(each["session_id"], each["revision"], each["kind"]) for each in positions]
        days = held_days(month, row["held_from"], row["held_to"], zone)
        uses.append(
            SiteUse(
                site=row["site"],
                terms=agreed,
                energy_wh=sum(each["energy_wh"] for each in positions),
                net=sum((each["excl_vat"] for each in positions), Decimal(0)),
                fixed=part_of_fee(agreed.fixed_per_month, days, month, terms.currency),
            )
        )
    draft = statement(terms, _host(rows[0]), uses, period, is_registered=rows[0]["vat_number"] is not None)
    return _Drawn(draft, keys, sum(use.energy_wh for use in uses))


def _host(row: asyncpg.Record) -> Seller:
    street, postal_code, city = (row[name] or "" for name in ("street", "postal_code", "city"))
    return Seller(
        id=row["host_id"],
        organisation_number=row["organisation_number"] or "",
        vat_number=row["vat_number"] or "",
        address=Address(street=street, postal_code=postal_code, city=city, country=row["country"]),
        **{name: row[name] for name in ("name", "bankgiro", "iban", "email", "f_skatt")},
    )
