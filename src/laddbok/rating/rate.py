"""What does a session cost?

One function for the price shown, the running cost, the CDR and the invoice. The session is cut where the tariff can
change, each dimension is priced by the first element that applies, quantities are rounded up to steps, every line is
rounded once, then VAT, then the price limits. A session that delivered no energy costs nothing.

>>> from laddbok.rating.examples import HOUR, tariff_of
>>> rating = rate(HOUR, tariff_of(ENERGY="3.20", FLAT="5"))
>>> rating.excl_vat, rating.incl_vat, rating.final
(Decimal('44.50'), Decimal('55.63'), True)
>>> [(line.kind.value, line.quantity, line.excl_vat) for line in rating.lines]
[('flat', 1, Decimal('5.00')), ('energy', 12345, Decimal('39.50'))]
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from laddbok.model.cdr import Cdr
from laddbok.model.rated import Finding, FindingCode, LineKind, Rating
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.superset import IdleUntil
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.energy_fee import energy_fee
from laddbok.rating.flat_fee import flat_fee
from laddbok.rating.idle_fee import idle_fee
from laddbok.rating.local_time import whole_seconds
from laddbok.rating.rated_lines import rated
from laddbok.rating.reservation_fee import reservation_fee
from laddbok.rating.restrictions import Slice
from laddbok.rating.slices import slices
from laddbok.rating.step_size import in_steps, times_in_steps
from laddbok.rating.time_fee import charging_time, parking_time
from laddbok.rating.usage import Usage

_UNITS = {LineKind.ENERGY: "Wh"}


def rate(
    cdr: Cdr,
    compiled: CompiledTariff,
    as_of: datetime | None = None,
    *,
    energy_known: bool = True,
    prices: SpotPrices | None = None,
    tier_ends_wh: Sequence[int] = (),
) -> Rating:
    """The price of a session under a tariff, the same way while it runs and when it is over.

    Args: cdr, provisional or final; compiled, for the time zone of the CDR's site; as_of, the instant up to which idle
        time counts (None: as far as the CDR knows); energy_known, False for a foreign CDR that states charging time but
        no energy: then 0 Wh does not mean that nothing was delivered; prices, of the spot price's zone; tier_ends_wh,
        where [Wh] the tiers of the contract's subscription end in this session (see rating.subscription).
    Returns: the rating; its lines sum to its totals.
    Raises: Invalid when the CDR spans more time than any session can.
    Source: OCPI 2.2.1 and 2.3.0 mod_tariffs, mod_cdrs; docs/rules.md "Price".
    """
    assert not compiled.uses_zone or compiled.time_zone == cdr.time_zone, cdr.session_id
    reserved, reserved_s = reservation_fee(cdr.reservation, compiled)
    if energy_known and cdr.energy_wh == 0:
        return _nothing_delivered(cdr, compiled, reserved)
    if prices is not None and compiled.spot is not None:
        assert (prices.zone, prices.currency) == (compiled.spot.zone, compiled.currency), cdr.session_id
    session = slices(cdr, compiled, tier_ends_wh)
    assert sum(at.wh for at in session) == cdr.energy_wh, cdr.session_id
    ended_s = None if cdr.transaction_ended_at is None else whole_seconds(cdr.transaction_ended_at)
    energy, energy_wh = energy_fee(session, compiled, prices, tier_ends_wh)
    charging, charging_s = charging_time(session, compiled.time)
    parking, parking_s = parking_time(session, compiled.parking, ended_s)
    usages = [
        *reserved,
        *flat_fee(session, compiled.flat),
        *in_steps(energy),
        *times_in_steps(charging, parking),
        *idle_fee(cdr, compiled.idle, compiled.zone, as_of),
    ]
    unpriced = {
        LineKind.RESERVATION_TIME: reserved_s, LineKind.ENERGY: energy_wh, LineKind.TIME: charging_s,
        LineKind.PARKING_TIME: parking_s,
    }  # fmt: skip
    return rated(cdr, compiled, usages, list(_findings(cdr, compiled, session, usages, unpriced)))


def _nothing_delivered(cdr: Cdr, compiled: CompiledTariff, reserved: list[Usage]) -> Rating:
    """No start fee, no time, no idle fee, no least price: only that it was reserved. Source: our choice (test_B19)."""
    text = "no energy was delivered: " + ("only the reservation is paid" if reserved else "the session costs nothing")
    without_least = replace(compiled, min_price=None)
    found = [Finding(FindingCode.ZERO_ENERGY, "energy_wh", text)]
    return rated(cdr, without_least, reserved, found, limited=bool(reserved))


def _findings(
    cdr: Cdr, compiled: CompiledTariff, session: Sequence[Slice], usages: list[Usage], unpriced: dict[LineKind, int]
) -> Iterator[Finding]:
    """Holes in what the tariff prices (what it never meant to price is none), and what could not be known."""
    holes = {kind: quantity for kind, quantity in unpriced.items() if quantity and kind in compiled.priced}
    for kind, quantity in holes.items():
        text = f"no element applies to {quantity} {_UNITS.get(kind, 's')} of {kind.value}: no cost for it"
        yield Finding(FindingCode.NO_MATCHING_ELEMENT, "elements", text)
    if not usages and not holes:
        text = "no element of the tariff prices anything in this session"
        yield Finding(FindingCode.NO_MATCHING_ELEMENT, "elements", text)
    is_over = cdr.transaction_ended_at is not None
    if compiled.idle and compiled.idle.until is IdleUntil.UNPLUG and is_over and cdr.unplugged_at is None:
        text = "idle time is billed until the cable is out, and when that was is not known"
        yield Finding(FindingCode.UNPLUG_UNKNOWN, "unplugged_at", text)
    if compiled.uses_current and any(at.wh and at.current_ma is None for at in session):
        text = "the current was not recorded: elements that ask for one don't apply"
        yield Finding(FindingCode.CURRENT_NOT_RECORDED, "elements", text)
