"""How are lists of apartments and statements of charging at home kept?

What was agreed is kept version by version. A month is drawn from the sessions' CDRs as they stand, and becomes a revision in one
transaction with the work of rendering it; the next revision is drawn from what stands then.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.flow.apartment_lists import draw_list, read_apartments
from laddbok.flow.billing_run import month_of
from laddbok.flow.home_statements import draw_statement
from laddbok.flow.statements import Ground, StatedSession, as_before, freeze, month_span, thawed
from laddbok.model.apartments import Apartments
from laddbok.model.billing import SellerTerms
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.home_charging import parse_home_terms
from laddbok.model.invoice import Buyer
from laddbok.model.statement import ApartmentList, HomeStatement, MonthBill, Statement, StatementKind
from laddbok.store.billing import customers, seller_terms
from laddbok.store.home_prices import refund_versions
from laddbok.store.rows import as_json
from laddbok.store.sql import query

RENDER_STATEMENT = "render_statement"
"""The kind of the job that makes the PDF; its key is tenant, kind, month, revision and subject."""
MAX_SESSIONS = 100_000
"""Of one site in one month."""

_cdr = msgspec.json.Decoder(Cdr)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed last. `document` is as it was sent, but for the spelling of id tokens."""

    version: int
    document: bytes
    agreed_at: datetime
    agreed_by: str


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that was drawn. `is_new` False: the last revision says the same, or it was only shown."""

    statement: Statement
    is_new: bool
    hash: bytes | None = None


async def agree_apartments(
    connection: asyncpg.Connection, tenant: int, site_id: str, document: bytes, now: datetime, by: str
) -> int:
    """Keep which apartments a site has and how they share. Returns: the version.

    Raises: Invalid with the path; NotFound; Conflict when somebody else does it at the same time.
    """
    house = read_apartments(document)
    await _site(connection, tenant, site_id, now)
    await _check_holders(connection, tenant, house)
    return await _agree(connection, tenant, StatementKind.APARTMENTS, site_id, msgspec.json.encode(house), now, by)


async def agree_home(
    connection: asyncpg.Connection, tenant: int, contract_id: str, document: bytes, now: datetime, by: str
) -> int:
    """Keep where a contract's home is, who the employer is, and what is paid back. Returns: the version.

    Raises: Invalid with the path; NotFound; Conflict when somebody else does it at the same time.
    """
    terms = parse_home_terms(document)
    await _contract(connection, tenant, contract_id)
    site = await connection.fetchrow(query("statement_site"), tenant, terms.site_id, now)
    if site is None:
        raise Invalid("site_id", f"there is no site {terms.site_id!r}")
    if terms.tariff_id is not None:
        await refund_versions(connection, tenant, terms.tariff_id, site["time_zone"])
    if not await customers(connection, tenant, [terms.employer_id]):
        raise Invalid("employer_id", f"there is no payer {terms.employer_id!r}")
    return await _agree(connection, tenant, StatementKind.HOME, contract_id, msgspec.json.encode(terms), now, by)


async def newest_terms(
    connection: asyncpg.Connection, tenant: int, kind: StatementKind, subject_id: str
) -> Terms | None:
    """What was agreed last, if anything was."""
    row = await connection.fetchrow(query("statement_terms_newest"), tenant, kind, subject_id)
    return row and Terms(
        version=row["version"],
        document=row["document"].encode(),
        agreed_at=row["agreed_at"],
        agreed_by=row["agreed_by"],
    )


async def issue_list(
    connection: asyncpg.Connection, tenant: int, site_id: str, month: str, bill: MonthBill | None, now: datetime, by: str,
    *, final: bool,
) -> Issued:  # fmt: skip
    """Draw a month's list of a site's apartments, and keep it if it is to be final and says something new.

    Args: connection, in a transaction; bill, None: that of the revision before.
    Raises: Invalid, NotFound; Conflict when the month is not over, or somebody else does it at the same time.
    Source: docs/rules.md "Apartment lists".
    """
    terms = await _terms(connection, tenant, StatementKind.APARTMENTS, site_id)
    house = msgspec.json.decode(terms.document, type=Apartments)
    days = month_of(month)
    site = await _site(connection, tenant, site_id, _noon(days[1]))
    sessions = await _sessions(connection, tenant, site, None, days, now)
    seller = await _seller(connection, tenant, site["seller_id"])
    city = " ".join(each for each in (site["postal_code"], site["city"]) if each)
    to = tuple(line for line in (site["to_name"], site["street"], city) if line)
    ground = _ground(seller, to, site_id, site["name"], month, site["time_zone"], now, terms.version, sessions)
    before, previous_hash = await _last(connection, tenant, StatementKind.APARTMENTS, site_id, month)
    assert before is None or isinstance(before, ApartmentList), site_id
    if bill is None and before is None:
        raise Invalid("bill", "is missing: there is no earlier list of this month")
    drawn = draw_list(ground, house, bill or before.bill, before)  # type: ignore[union-attr]
    return await _kept(connection, tenant, StatementKind.APARTMENTS, before, drawn, previous_hash, now, by, final=final)


async def issue_home(
    connection: asyncpg.Connection, tenant: int, contract_id: str, month: str, now: datetime, by: str, *, final: bool
) -> Issued:
    """Draw a month's statement of charging at home, and keep it if it is to be final and says something new.

    Args: connection, in a transaction.
    Raises: Invalid, NotFound; Conflict when the month is not over, or somebody else does it at the same time.
    Source: docs/rules.md "Home charging".
    """
    terms = await _terms(connection, tenant, StatementKind.HOME, contract_id)
    agreed = parse_home_terms(terms.document)
    contract = await _contract(connection, tenant, contract_id)
    site = await _site(connection, tenant, agreed.site_id, now)
    sessions = await _sessions(connection, tenant, site, contract_id, month_of(month), now)
    seller = await _seller(connection, tenant, contract["seller_id"])
    employer = (await customers(connection, tenant, [agreed.employer_id]))[agreed.employer_id].buyer
    ground = _ground(
        seller, _lines(employer), contract_id, contract["name"], month, site["time_zone"], now, terms.version, sessions
    )
    before, previous_hash = await _last(connection, tenant, StatementKind.HOME, contract_id, month)
    assert before is None or isinstance(before, HomeStatement), contract_id
    versions = (
        []
        if agreed.tariff_id is None
        else await refund_versions(connection, tenant, agreed.tariff_id, site["time_zone"], sessions)
    )
    drawn = draw_statement(ground, agreed, contract["driver"], before, versions)
    return await _kept(connection, tenant, StatementKind.HOME, before, drawn, previous_hash, now, by, final=final)


async def kept_statement(
    connection: asyncpg.Connection, tenant: int, kind: StatementKind, subject_id: str, month: str, revision: int | None
) -> tuple[Statement, bytes]:
    """A revision, or the newest, with its hash. Raises: NotFound."""
    row = await connection.fetchrow(query("statement_content"), tenant, kind, subject_id, month, revision)
    if row is None:
        raise NotFound("statement", f"{subject_id} {month}" + (f" revision {revision}" if revision else ""))
    return thawed(kind, row["content"]), row["hash"]


async def keep_pdf(
    connection: asyncpg.Connection, tenant: int, kind: StatementKind, subject_id: str, month: str, revision: int, pdf: bytes,
    now: datetime,
) -> None:  # fmt: skip
    """Store the PDF of a revision, if none is."""
    file = (pdf, sha256(pdf).digest(), now)
    await connection.execute(query("statement_pdf_add"), tenant, kind, subject_id, month, revision, *file)


async def kept_pdf(
    connection: asyncpg.Connection, tenant: int, kind: StatementKind, subject_id: str, month: str, revision: int
) -> bytes | None:
    """The stored PDF of a revision; None while it is not rendered."""
    found: bytes | None = await connection.fetchval(query("statement_pdf"), tenant, kind, subject_id, month, revision)
    return found


async def _kept(
    connection: asyncpg.Connection, tenant: int, kind: StatementKind, before: Any, drawn: Any, previous_hash: bytes | None,
    now: datetime, by: str, *, final: bool,
) -> Issued:  # fmt: skip
    if as_before(before, drawn):
        return Issued(statement=before, is_new=False, hash=previous_hash)
    if not final:
        return Issued(statement=drawn, is_new=False)
    frozen, head = freeze(drawn, previous_hash), drawn.head
    row = (
        head.name, head.currency, drawn.energy_wh, drawn.total, now, by, frozen.content, frozen.previous_hash, frozen.hash,
    )  # fmt: skip
    try:
        await connection.execute(query("statement_add"), tenant, kind, head.subject_id, head.month, head.revision, *row)
    except asyncpg.UniqueViolationError:
        raise Conflict(f"somebody else makes {head.number} of {head.subject_id}") from None
    key = f"{tenant}/{kind}/{head.month}/{head.revision}/{head.subject_id}"
    job = {"tenant": tenant, "kind": RENDER_STATEMENT, "key": key, "due_at": now}
    await connection.execute(query("add_jobs"), as_json([job]))
    return Issued(statement=drawn, is_new=True, hash=frozen.hash)


async def _agree(
    connection: asyncpg.Connection,
    tenant: int,
    kind: StatementKind,
    subject_id: str,
    document: bytes,
    now: datetime,
    by: str,
) -> int:
    try:
        version: int = await connection.fetchval(
            query("statement_terms_add"), tenant, kind, subject_id, document.decode(), now, by
        )
    except asyncpg.UniqueViolationError:
        raise Conflict(f"somebody else changes what is agreed for {subject_id}") from None
    return version


async def _terms(connection: asyncpg.Connection, tenant: int, kind: StatementKind, subject_id: str) -> Terms:
    found = await newest_terms(connection, tenant, kind, subject_id)
    if found is None:
        raise NotFound(
            "agreement on apartments of site" if kind is StatementKind.APARTMENTS else "home agreement", subject_id
        )
    return found


async def _check_holders(connection: asyncpg.Connection, tenant: int, house: Apartments) -> None:
    """Raises: Invalid for the first contract or id token that nobody knows."""
    named = [
        (
            f"apartments[{i}].holders[{j}]",
            *(("contract_id", h.contract_id) if h.contract_id else ("id_token", h.id_token)),
        )
        for i, each in enumerate(house.apartments)
        for j, h in enumerate(each.holders)
    ]
    columns = ([row[place] for row in named] for place in range(3))
    if unknown := await connection.fetchrow(query("statement_unknown"), tenant, *columns):
        raise Invalid(f"{unknown['path']}.{unknown['field']}", f"there is no {unknown['known']!r}")


async def _site(connection: asyncpg.Connection, tenant: int, site_id: str, at: datetime) -> asyncpg.Record:
    row = await connection.fetchrow(query("statement_site"), tenant, site_id, at)
    if row is None:
        raise NotFound("site", site_id)
    return row


async def _contract(connection: asyncpg.Connection, tenant: int, contract_id: str) -> asyncpg.Record:
    row = await connection.fetchrow(query("statement_contract"), tenant, contract_id)
    if row is None:
        raise NotFound("contract", contract_id)
    return row


async def _seller(connection: asyncpg.Connection, tenant: int, seller_id: str) -> SellerTerms:
    [found] = await seller_terms(connection, tenant, seller_id)
    return found


async def _sessions(
    connection: asyncpg.Connection, tenant: int, site: asyncpg.Record, contract_id: str | None, days: tuple[date, date],
    now: datetime,
) -> tuple[StatedSession, ...]:  # fmt: skip
    start_at, end_at = month_span(*days, site["time_zone"])
    if now < end_at:
        raise Conflict(f"{days[0]:%Y-%m} is not over")
    rows = await connection.fetch(
        query("statement_sessions"), tenant, site["id"], contract_id, start_at, end_at, MAX_SESSIONS + 1
    )
    if len(rows) > MAX_SESSIONS:
        raise Conflict(f"{site['id']} has more than {MAX_SESSIONS} sessions in the month")
    return tuple(_stated(row) for row in rows)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _stated(row: asyncpg.Record) -> StatedSession:
    fields = dict(row)
    document = fields.pop("document")
    return StatedSession(cdr=document and _cdr.decode(document), **fields)


def _ground(
    seller: SellerTerms, to: Sequence[str], subject_id: str, name: str, month: str, time_zone: str, now: datetime, version: int,
    sessions: tuple[StatedSession, ...],
) -> Ground:  # fmt: skip
    first, last = month_of(month)
    return Ground(
        seller=seller.seller, to=tuple(to), subject_id=subject_id, name=name, month=month, first_day=first, last_day=last,
        today=now.astimezone(ZoneInfo(time_zone)).date(), time_zone=time_zone, currency=seller.currency, terms_version=version,
        sessions=sessions,
    )  # fmt: skip


def _lines(buyer: Buyer) -> tuple[str, ...]:
    address = buyer.address
    return (buyer.name, *((address.street, f"{address.postal_code} {address.city}") if address else ()))


async def _last(
    connection: asyncpg.Connection, tenant: int, kind: StatementKind, subject_id: str, month: str
) -> tuple[Statement | None, bytes | None]:
    row = await connection.fetchrow(query("statement_last"), tenant, kind, subject_id, month)
    return (thawed(kind, row["content"]), row["hash"]) if row else (None, None)
