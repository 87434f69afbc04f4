"""How do the billing run's plans become final in PostgreSQL?

One transaction per batch: the number series is held, documents are frozen under its next numbers and copied in, each of
their positions is marked once, the journal entries are written, and the work of rendering is queued. Either all of it is
there or nothing, so a number is never lost or given twice, whoever is killed when.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import asyncpg
import msgspec

from laddbok.billing.freeze import Series
from laddbok.flow.billing_run import Final, Planned, PositionKey, finals
from laddbok.flow.shared_parts import shown_lines
from laddbok.model.billing import Customer, PaidPart, Position, SellerTerms
from laddbok.model.cdr import Cdr
from laddbok.model.invoice import Address, Buyer, BuyerKind, Endpoint, InvoiceKind, Reference, Seller
from laddbok.model.rated import Rating
from laddbok.store.contract_charges import AlreadyCharged, add_charges
from laddbok.store.credits import check_left
from laddbok.store.exchange_rates import read_rates
from laddbok.store.follow_credits import follow_credits
from laddbok.store.journal import post
from laddbok.store.sql import query

RENDER = "render_invoice"
"""The kind of the job that makes PDF and XML of a document; its key is tenant and document id."""

_cdr, _rating = msgspec.json.Decoder(Cdr), msgspec.json.Decoder(Rating)
_paid = msgspec.json.Decoder(PaidPart)
_strings = msgspec.json.Decoder(dict[str, str])


class AlreadyBilled(AlreadyCharged):
    """Somebody else billed some of these positions meanwhile; nothing of the batch was written."""


async def seller_terms(connection: asyncpg.Connection, tenant: int, seller_id: str | None) -> list[SellerTerms]:
    """The sellers of a tenant, or the one of this id, as they bill today."""
    found = [_terms(row) for row in await connection.fetch(query("billing_sellers"), tenant, seller_id)]
    return [await _with_rates(connection, tenant, each) for each in found]


async def _with_rates(connection: asyncpg.Connection, tenant: int, terms: SellerTerms) -> SellerTerms:
    """The exchange rates of a seller whose books are in another currency than its documents."""
    if terms.books is None or terms.books == terms.currency:
        return terms
    rates = await read_rates(connection, tenant, (terms.currency, terms.books), None, None)
    return msgspec.structs.replace(terms, rates=rates)


async def open_positions(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, before: datetime
) -> AsyncIterator[tuple[str | None, list[Position]]]:
    """What is to be billed, payer by payer; None: nobody pays for these.

    Args: connection: in a transaction, for it reads in portions; before, when a session must have ended.
    """
    payer_id: str | None = None
    positions: list[Position] = []
    async for row in connection.cursor(
        query("billing_open_positions"), tenant, terms.seller.id, before, terms.currency, prefetch=2_000
    ):
        if positions and row["payer_id"] != payer_id:
            yield payer_id, positions
            positions = []
        payer_id = row["payer_id"]
        positions.append(position_of(row))
    if positions:
        yield payer_id, positions


async def customers(connection: asyncpg.Connection, tenant: int, payer_ids: Sequence[str]) -> dict[str, Customer]:
    """Payers as they stand today."""
    rows = await connection.fetch(query("billing_payers"), tenant, list(payer_ids))
    return {row["id"]: _customer(row) for row in rows}


async def finalise(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    planned: Sequence[Planned],
    run_id: str | None,
    now: datetime,
) -> list[Final]:
    """Make drafts final, in one transaction.

    Args: planned, at most flow.billing_run.AT_ONCE; of several kinds of document each takes numbers of its own series.
    Raises: AlreadyBilled when a position was billed, or a contract's month charged, meanwhile, Conflict when a document was credited
        from which something is taken back, Invalid when a credit note takes back more than is left; then nothing is written.
    Source: our choice, docs/rules.md "Billing run"; case B53.
    """
    made: list[Final] = []
    async with connection.transaction():
        await connection.execute(query("series_make"), tenant, terms.seller.id)
        await _check_credits(connection, tenant, terms, planned)
        for kind, of_kind in groupby(sorted(planned, key=_kind_of), key=_kind_of):
            made += await _frozen(connection, tenant, terms, kind, list(of_kind))
        await _write_documents(connection, tenant, terms, made, run_id, now)
        await _mark(connection, tenant, [(key, "billed", each.id) for each in made for key in each.positions])
        await add_charges(connection, tenant, [(each.id, charge) for each in made for charge in each.charges])
        await post(connection, tenant, terms.seller.id, [each.entry for each in made], now)
        await follow_credits(connection, tenant, terms, [each.frozen.invoice for each in made], now)
        if run_id is not None:
            await connection.execute(query("run_advance"), tenant, run_id, len(made))
    return made


async def close_unbilled(
    connection: asyncpg.Connection, tenant: int, netted: Sequence[PositionKey], nothing: Sequence[PositionKey]
) -> None:
    """Positions that come to no document: credited before they were billed, or worth 0.

    Raises: AlreadyBilled.
    """
    outcomes = [(key, "netted", None) for key in netted] + [(key, "nothing", None) for key in nothing]
    async with connection.transaction():
        await _mark(connection, tenant, outcomes)


async def _check_credits(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, planned: Sequence[Planned]
) -> None:
    """Hold the series of credit notes where something is taken back, and see that nobody else took it meanwhile."""
    notes = [each.invoice for each in planned if each.invoice.kind is InvoiceKind.CREDIT_NOTE]
    rests_on = {number: count for each in planned for number, count in each.rests_on.items()}
    if notes or rests_on:
        await connection.fetchrow(query("series_take"), tenant, terms.seller.id, InvoiceKind.CREDIT_NOTE)
        await check_left(connection, tenant, terms.seller.id, notes, rests_on)


async def _frozen(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, kind: str, planned: Sequence[Planned]
) -> tuple[Final, ...]:
    row = await connection.fetchrow(query("series_take"), tenant, terms.seller.id, kind)
    assert row is not None, kind
    made, after = finals(planned, Series(**dict(row)), terms)
    await connection.execute(query("series_advance"), tenant, terms.seller.id, kind, after.next_number, after.last_hash)
    return made


_DOCUMENT = (
    "tenant", "id", "legal_entity_id", "kind", "number", "number_text", "run_id", "payer_id", "contract_id", "period_start",
    "period_end", "issue_date", "due_date", "currency", "net", "vat", "gross", "payable", "payment_reference", "refers_to",
    "finalised_at", "content", "previous_hash", "hash",
)  # fmt: skip
_JOB = ("tenant", "kind", "key", "due_at")


async def _write_documents(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    made: Sequence[Final],
    run_id: str | None,
    now: datetime,
) -> None:
    rows = [_document_row(tenant, terms, each, run_id, now) for each in made]
    await connection.copy_records_to_table("invoice", records=rows, columns=_DOCUMENT)
    jobs = [(tenant, RENDER, f"{tenant}/{each.id}", now) for each in made]
    await connection.copy_records_to_table("job", records=jobs, columns=_JOB)


def _document_row(tenant: int, terms: SellerTerms, made: Final, run_id: str | None, now: datetime) -> tuple[Any, ...]:
    document, totals = made.frozen.invoice, made.frozen.invoice.totals
    refers_to = document.refers_to and f"{terms.seller.id}-{document.refers_to.number}"
    return (
        tenant, made.id, terms.seller.id, document.kind.value, made.frozen.number, document.number, run_id, document.buyer.id,
        document.contract_id, document.period_start, document.period_end, document.issue_date, document.due_date,
        document.currency, totals.net, totals.vat, totals.gross, totals.payable, document.payment_reference, refers_to, now,
        made.frozen.content, made.frozen.previous_hash, made.frozen.hash,
    )  # fmt: skip


async def _mark(
    connection: asyncpg.Connection, tenant: int, outcomes: Sequence[tuple[PositionKey, str, str | None]]
) -> None:
    columns = zip(
        *((key.session_id, key.revision, key.kind, key.part, outcome, document) for key, outcome, document in outcomes),
        strict=True,
    )
    told = await connection.execute(query("positions_billed"), tenant, *map(list, columns)) if outcomes else "UPDATE 0"
    if int(told.rpartition(" ")[2]) != len(outcomes):
        raise AlreadyBilled


def _kind_of(planned: Planned) -> str:
    return planned.invoice.kind.value


def _terms(row: asyncpg.Record) -> SellerTerms:
    fields = dict(row)
    seller = Seller(
        address=_address(row),
        endpoint=_endpoint(row),
        **{
            name: fields[name]
            for name in Seller.__struct_fields__
            if name in fields and name not in ("organisation_number", "vat_number")
        },
        organisation_number=row["organisation_number"] or "",
        vat_number=row["vat_number"] or "",
    )
    return SellerTerms(
        seller=seller,
        late_terms=_strings.decode(row["late_terms"]),
        accounts=_strings.decode(row["accounts"]),
        **{
            name: fields[name]
            for name in ("currency", "books", "time_zone", "payment_days", "draft_days", "simplified_up_to")
        },
    )


def _customer(row: asyncpg.Record) -> Customer:
    fields = dict(row)
    names = set(Buyer.__struct_fields__) & fields.keys() - {"kind"}
    has_address = row["street"] and row["postal_code"] and row["city"]
    buyer = Buyer(
        kind=BuyerKind(row["kind"]),
        address=_address(row) if has_address else None,
        endpoint=_endpoint(row),
        **{name: fields[name] for name in names},
    )
    return Customer(buyer=buyer, e_invoice=row["e_invoice"], whole_units=row["whole_units"])


def _address(row: asyncpg.Record) -> Address:
    street, postal_code, city = (row[name] or "" for name in ("street", "postal_code", "city"))
    return Address(street=street, postal_code=postal_code, city=city, country=row["country"])


def _endpoint(row: asyncpg.Record) -> Endpoint | None:
    scheme, at = itemgetter("endpoint_scheme", "endpoint_id")(row)
    return Endpoint(scheme, at) if scheme and at else None


def position_of(row: asyncpg.Record) -> Position:
    """A row of what is to be billed."""
    fields = dict(row)
    billed_on = Reference(row["billed_number"], row["billed_date"]) if row["billed_number"] else None
    whole = _rating.decode(row["rating"])
    paid = None if row["paid"] is None else _paid.decode(row["paid"])
    names = (
        "session_id",
        "revision",
        "kind",
        "part",
        "contract_id",
        "tariff_version",
        "place",
        "station",
        "begin_wh",
        "end_wh",
        "root",
        "driver",
        "cost_centre",
    )
    return Position(
        cdr=_cdr.decode(row["cdr"]),
        rating=whole if paid is None else paid.rating,
        paid=paid,
        shown=() if paid is None else shown_lines(whole, paid),
        billed_on=billed_on,
        **{name: fields[name] for name in names},
    )
