"""Which market prices was a session billed at?

A session at the spot price is priced once the market's price of each quarter hour in which energy flowed is known. Those
prices are looked up then and recorded with it, as everything else that it depends on: a rebuild and the evidence file read
the record, never a table that may say something else later. As long as one is missing the session waits.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from laddbok.flow.changes import Decision
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.money import number_of
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.model.tariff import Tariff, below_maximum

MARKET_PRICES = "market_prices"
"""The kind of the decision that records them; the last one counts."""
ASK_AGAIN = timedelta(minutes=15)
"""How long a session waits before a missing price is looked up again."""


class PricesWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Market prices that a session can't be priced without."""

    tenant: int
    session_id: str
    zone: str
    currency: str
    quarters_s: tuple[int, ...]
    """The starts of the quarter hours in which energy flowed, in seconds since 1970."""

    @property
    def start_at(self) -> datetime:
        """The start of the first quarter."""
        return datetime.fromtimestamp(self.quarters_s[0], UTC)

    @property
    def end_at(self) -> datetime:
        """The end of the last quarter."""
        return datetime.fromtimestamp(self.quarters_s[-1] + QUARTER_S, UTC)


class _Record(msgspec.Struct, frozen=True):
    """The body of the decision; prices by the start of their quarter."""

    zone: str
    currency: str
    source: str
    prices: dict[str, str]


def recorded_prices(decisions: Sequence[Decision]) -> SpotPrices | None:
    """The market prices that are on record for a session; None: none. Raises: Invalid when the record is broken."""
    last = next((each for each in reversed(decisions) if each.kind == MARKET_PRICES), None)
    if last is None:
        return None
    record = msgspec.convert(last.body, _Record)
    return SpotPrices(
        zone=record.zone,
        currency=record.currency,
        source=record.source,
        by_start_s=dict(_read(at, text) for at, text in record.prices.items()),
    )


def _read(at: str, text: str) -> tuple[int, Decimal]:
    """One price as it stands in a record; an evidence file may be anybody's."""
    price = number_of(text)
    if price is None or not below_maximum(price):
        raise Invalid(f"{MARKET_PRICES}.{at[:40]}", "is not a price")
    try:
        return int(datetime.fromisoformat(at).timestamp()), price
    except (ValueError, OverflowError):
        raise Invalid(f"{MARKET_PRICES}.{at[:40]}", "is not an instant") from None


def prices_wanted(tenant: int, document: Cdr, tariff: Tariff, known: SpotPrices | None) -> PricesWanted | None:
    """What must be looked up before this CDR can be priced; None: nothing.

    Source: our choice, docs/rules.md "Spot price" (case B37).
    """
    spot = tariff.laddbok.spot
    if spot is None or not document.energy_wh:
        return None
    quarters_s = tuple(_quarters(document))
    is_known = known is not None and (known.zone, known.currency) == (spot.zone, tariff.currency)
    if known is not None and is_known and all(known.at(at_s) is not None for at_s in quarters_s):
        return None
    return PricesWanted(
        tenant=tenant, session_id=document.session_id, zone=spot.zone, currency=tariff.currency, quarters_s=quarters_s
    )


def record_of(wanted: PricesWanted, found: SpotPrices, now: datetime) -> Decision | None:
    """The record of the prices that were wanted; None while one of them is not known."""
    prices = {at_s: found.at(at_s) for at_s in wanted.quarters_s}
    if any(price is None for price in prices.values()):
        return None
    said = {f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}": f"{price:f}" for at_s, price in prices.items()}
    body = msgspec.to_builtins(_Record(found.zone, found.currency, found.source, said))
    return Decision(tenant=wanted.tenant, session_id=wanted.session_id, at=now, kind=MARKET_PRICES, body=body)


def _quarters(document: Cdr) -> Iterator[int]:
    """The quarter hours in which energy flowed, in order, each once."""
    last = -1
    for period in document.periods:
        if not period.energy_wh:
            continue
        first_s, end_s = int(period.start_at.timestamp()), int(period.end_at.timestamp())
        for at_s in range(first_s - first_s % QUARTER_S, max(end_s, first_s + 1), QUARTER_S):
            if at_s > last:
                yield at_s
                last = at_s
