"""What were contracts charged beside their sessions, and which subscriptions do they have?"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.flow.contract_charges import Held
from laddbok.model.billing import ChargeKind, ContractCharge, Position, RateNet, SellerTerms
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Conflict
from laddbok.model.rated import Rating
from laddbok.model.tariff import Tariff, parse_tariff
from laddbok.rating.month_fee import Month
from laddbok.store.sql import query

_charge = msgspec.json.Decoder(ContractCharge)
_cdr, _rating = msgspec.json.Decoder(Cdr), msgspec.json.Decoder(Rating)


class AlreadyCharged(Conflict):
    """Somebody else charged some of this meanwhile; nothing of the batch was written."""

    def __init__(self) -> None:
        super().__init__("somebody else bills this at the same time; start it again, and what is left is billed")


class Subscribed(msgspec.Struct, frozen=True):
    """A contract with the subscriptions that it had in a month, and who pays at its end; None: nobody."""

    payer_id: str | None
    held: list[Held]


async def subscriptions(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, month: Month
) -> list[Subscribed]:
    """The subscriptions of a seller's contracts in a month whose fee is not charged yet."""
    after, zone = month.next(), ZoneInfo(terms.time_zone)
    start_at, end_at = (datetime(each.year, each.month, 1, tzinfo=zone) for each in (month, after))
    rows = await connection.fetch(query("billing_subscriptions"), tenant, terms.seller.id, start_at, end_at, str(month))
    parsed: dict[tuple[str, int], Tariff] = {}
    found = []
    for _, group in groupby(rows, key=itemgetter("contract_id")):
        segments = list(group)
        held = [_held(row, parsed) for row in segments]
        found.append(Subscribed(segments[-1]["payer_id"], held))
    return found


async def charges_of(
    connection: asyncpg.Connection, tenant: int, contract_ids: Iterable[str]
) -> dict[str, list[ContractCharge]]:
    """What these contracts were charged so far, in any month."""
    found: dict[str, list[ContractCharge]] = defaultdict(list)
    for row in await connection.fetch(query("contract_charges"), tenant, sorted(contract_ids)):
        found[row["contract_id"]].append(_charge.decode(row["content"]))
    return found


async def included_on(
    connection: asyncpg.Connection, tenant: int, document_id: str, session_id: str
) -> tuple[RateNet, ...]:
    """What included energy changes of a session on one document, before VAT."""
    rows = await connection.fetch(query("charges_of_document"), tenant, document_id, ChargeKind.INCLUDED.value)
    charges = (_charge.decode(row["content"]) for row in rows)
    return tuple(
        net for charge in charges for each in charge.sessions if each.session_id == session_id for net in each.nets
    )


async def positions_of(
    connection: asyncpg.Connection, tenant: int, session_ids: Sequence[str], revisions: Sequence[int]
) -> list[Position]:
    """The CDRs of these revisions of sessions, as positions that say nothing of where they were."""
    rows = await connection.fetch(query("charged_positions"), tenant, list(session_ids), list(revisions))
    names = ("session_id", "revision", "kind", "contract_id", "tariff_version", "cost_centre")
    return [
        Position(
            place="",
            station="",
            cdr=_cdr.decode(row["cdr"]),
            rating=_rating.decode(row["rating"]),
            **{name: row[name] for name in names},
        )
        for row in rows
    ]


async def add_charges(
    connection: asyncpg.Connection, tenant: int, charges: Sequence[tuple[str, ContractCharge]]
) -> None:
    """Write charges, each with the document on which it stands, in the caller's transaction. Raises: AlreadyCharged."""
    if not charges:
        return
    encoded = [msgspec.json.encode(charge).decode() for _, charge in charges]
    columns = ([getattr(charge, name) for _, charge in charges] for name in ("contract_id", "kind", "month", "number"))
    try:
        await connection.execute(
            query("contract_charges_add"), tenant, *columns, [document for document, _ in charges], encoded
        )
    except asyncpg.UniqueViolationError:
        raise AlreadyCharged from None


def _held(row: asyncpg.Record, parsed: dict[tuple[str, int], Tariff]) -> Held:
    key = (row["tariff_id"], row["version"])
    if key not in parsed:
        parsed[key] = parse_tariff(row["document"].encode())
    names = ("contract_id", "contract_name", "valid_from", "valid_to", "cost_centre")
    return Held(tariff=parsed[key], **{name: row[name] for name in names})
