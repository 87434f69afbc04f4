"""How does a session that several pay become a position for each of them, once?

In the caller's transaction: under a lock of the tenant, so that limits by month count every session once, open positions of
contracts with an agreement are shared out in order, and the credit of a session that was shared out is shared out like it.
That the parts are all of the position, and that each payer has one, the database sees to. Where the caller rolls back, nothing
has happened: that is how a plan looks at parts that are not there yet.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.flow.shared_parts import AgreedFrom, share_out
from laddbok.model.agreement import parse_agreement
from laddbok.model.billing import PaidPart, SellerTerms
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.rated import Rating
from laddbok.rating.month_fee import month_of
from laddbok.store.sql import query

AT_ONCE = 500
"""Positions that are read and shared out together."""

SessionKey = tuple[str, int]
"""A session and the revision of its CDR."""
Limits = tuple[str, datetime, str]
"""Contract, begin of its agreement, month: what shares that end at an amount in a month count together."""

_cdr, _rating = msgspec.json.Decoder(Cdr), msgspec.json.Decoder(Rating)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)


async def share_open_positions(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, before: datetime
) -> dict[SessionKey, str]:
    """Share out what a seller has to bill of sessions that ended before an instant, and others pay for.

    Returns: why some could not be shared out: they are left as they are, and must not be billed.
    Source: docs/rules.md "Who pays"; ADR 0011.
    """
    await connection.execute(query("shares_alone"), tenant)
    sharing = _Sharing(connection, tenant, ZoneInfo(terms.time_zone))
    after = (_FIRST, "", 0)
    while rows := await connection.fetch(
        query("positions_to_share"), tenant, terms.seller.id, before, terms.currency, *after, AT_ONCE
    ):
        await sharing.share(rows)
        after = (rows[-1]["started_at"], rows[-1]["session_id"], rows[-1]["revision"])
    await connection.execute(query("credits_share"), tenant, terms.seller.id)
    return sharing.refused


class _Sharing:
    """The sharing out of one seller's positions, in order."""

    def __init__(self, connection: asyncpg.Connection, tenant: int, zone: ZoneInfo) -> None:
        self._connection = connection
        self._tenant = tenant
        self._zone = zone
        self._known: set[str] = set()
        self._taken: dict[Limits, dict[int, Decimal]] = defaultdict(dict)
        self.refused: dict[SessionKey, str] = {}

    async def share(self, rows: Sequence[asyncpg.Record]) -> None:
        await self._read_taken({row["contract_id"] for row in rows} - self._known)
        found = []
        for row in rows:
            key = (row["session_id"], row["revision"])
            try:
                found += [(*key, number, *each) for number, each in enumerate(self._parts(row), start=1)]
            except Invalid as error:
                self.refused[key] = f"{error.field}: {error.reason}"
        await self._write(found)

    def _parts(self, row: asyncpg.Record) -> list[tuple[str | None, PaidPart]]:
        cdr = _cdr.decode(row["cdr"])
        agreed = AgreedFrom(row["since"], parse_agreement(row["agreement"].encode()))
        taken = self._taken[row["contract_id"], row["since"], str(month_of(cdr, self._zone))]
        parts = share_out(cdr, _rating.decode(row["rating"]), agreed, self._zone, taken)
        for number, amount in (each for _, part in parts for each in part.taken.items()):
            taken[number] = taken.get(number, Decimal(0)) + amount
        return parts

    async def _read_taken(self, contract_ids: Iterable[str]) -> None:
        wanted = sorted(contract_ids)
        self._known.update(wanted)
        for row in await self._connection.fetch(query("shares_taken"), self._tenant, wanted):
            limits = (row["contract_id"], row["since"], row["month"])
            self._taken[limits][row["number"]] = row["taken"]

    async def _write(self, found: Sequence[tuple[str, int, int, str | None, PaidPart]]) -> None:
        rows = [
            (session, revision, number, payer_id, part.rating.excl_vat, part.rating.incl_vat, msgspec.json.encode(part).decode())
            for session, revision, number, payer_id, part in found
        ]  # fmt: skip
        columns = map(list, zip(*rows, strict=True)) if rows else ()
        if rows:
            await self._connection.execute(query("parts_add"), self._tenant, *columns)
