"""What does a foreign OCPI CDR say was used?

CDRs as they are in the wild, 2.2.1 and 2.3.0, become our CDR. Their prices are never read. Where there are no charging
periods, the totals are taken as one. Reserved time before charging becomes a reservation; a CDR that has nothing else is
one of a reservation that expired. What contradicts itself is refused, what is only missing becomes a finding.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod, Reservation
from laddbok.model.errors import Invalid
from laddbok.model.money import divide_half_up
from laddbok.model.rated import Finding, FindingCode
from laddbok.model.tariff import convert, in_utc
from laddbok.rating.local_time import DAY_S, MAX_SESSION_S
from laddbok.wires.ocpi_periods import TOLERANCE_S, Dimension, Period, Span, charging_periods, is_quantity, span

MAX_PERIODS = 10_000

FIRST_AT = datetime(2000, 1, 1, tzinfo=UTC)
"""OCPI lets a CPO write 1970 for an instant that it does not know."""

_TOTALS = ("total_energy", "total_time", "total_parking_time")


class _Location(msgspec.Struct, frozen=True):
    country: str | None = None
    time_zone: str | None = None


class _Cdr(msgspec.Struct, frozen=True):
    currency: str
    start_date_time: datetime
    end_date_time: datetime
    charging_periods: tuple[Period, ...] | None = None
    total_energy: Decimal | None = None
    total_time: Decimal | None = None
    total_parking_time: Decimal | None = None
    cdr_location: _Location | None = None
    time_zone: str | None = None
    id: str | int | None = None
    session_id: str | int | None = None
    credit: bool | None = None


class ForeignCdr(NamedTuple):
    """A CDR from a file. `time_zone` and `country` are None where the document has none.

    `energy_known` is False when it states charging time but no energy.
    """

    cdr: Cdr
    currency: str
    time_zone: str | None
    country: str | None
    energy_known: bool
    is_credit: bool
    findings: tuple[Finding, ...]


def read_cdr(fields: dict[str, Any]) -> ForeignCdr:
    """Read a decoded OCPI CDR.

    Raises: Invalid, with the path of the field, for what is missing, unknown, negative or contradicts itself.
    Source: OCPI 2.2.1 and 2.3.0 mod_cdrs, CDR object, ChargingPeriod, CdrDimensionType.
    """
    found = convert(fields, _Cdr)
    spans = list(_spans(found))
    energies_wh, spread = _energies_wh(found, spans)
    periods = tuple(charging_periods(spans, energies_wh, spread))
    location = found.cdr_location or _Location()
    cdr = _cdr(found, spans, periods, location.time_zone or found.time_zone)
    stated = any(at.energy_kwh is not None for at in spans) or bool(found.total_energy)
    return ForeignCdr(
        cdr=cdr,
        currency=found.currency,
        time_zone=location.time_zone or found.time_zone,
        country=location.country,
        energy_known=stated or not any(at.charging_s for at in spans),
        is_credit=bool(found.credit),
        findings=tuple(_findings(found, spans, cdr, spread)),
    )


def _cdr(found: _Cdr, spans: Sequence[Span], periods: tuple[ChargingPeriod, ...], time_zone: str | None) -> Cdr:
    """Our CDR; the session starts where the reservation, if there was one, ends."""
    reservation = _reservation(found, spans)
    started_at, ended_at = _start_and_end(found)
    if reservation:
        started_at = reservation.start_at if reservation.expired else reservation.end_at
    return Cdr(
        session_id=str(found.session_id or found.id or ""),
        started_at=started_at,
        charging_ended_at=max((p.end_at for p in periods if p.activity is Activity.CHARGING), default=None),
        transaction_ended_at=ended_at,
        unplugged_at=ended_at,
        last_contact_at=ended_at,
        energy_wh=sum(period.energy_wh for period in periods),
        periods=() if reservation and reservation.expired else tuple(p for p in periods if p.start_at >= started_at),
        time_zone=time_zone or "UTC",
        reservation=reservation,
    )


def _reservation(found: _Cdr, spans: Sequence[Span]) -> Reservation | None:
    """What was reserved before charging. OCPI does not say whether it expired; one that nothing follows did.

    Source: OCPI 2.3.0 mod_cdrs, CDR object, start_date_time ("in-case of a reservation ... the start of the reservation"),
        CdrDimensionType RESERVATION_TIME.
    """
    held = [at for at in spans if at.reserved_s]
    if not held:
        return None
    return Reservation(
        start_at=held[0].start_at,
        end_at=held[-1].start_at + timedelta(seconds=held[-1].reserved_s),
        expired=all(at.is_reservation for at in spans) and not found.total_energy,
    )


def _spans(found: _Cdr) -> Iterator[Span]:
    start_at, end_at = _start_and_end(found)
    periods = _periods(found)
    energy_given = any(d.type == "ENERGY" for _, period in periods for d in period.dimensions or ())
    assume_charging = not energy_given and bool(found.total_energy)
    starts = [_within(start_at, end_at, period, f"{path}.start_date_time") for path, period in periods]
    order = sorted(range(len(starts)), key=starts.__getitem__)
    used = False
    for place, i in enumerate(order):
        until_at = starts[order[place + 1]] if place + 1 < len(order) else end_at
        path, period = periods[i]
        at = span(period, path, starts[i], until_at, assume_charging)
        if used and at.reserved_s:
            raise Invalid(f"{path}.dimensions", "reservation time after the session has begun")
        used |= not at.is_reservation and bool(at.charging_s or at.parking_s or at.energy_kwh)
        yield at


def _within(start_at: datetime, end_at: datetime, period: Period, field: str) -> datetime:
    """When a period starts: some seconds outside the session it is another clock, and the session's counts."""
    at = _second(period.start_date_time, field)
    inside = min(max(at, start_at), end_at)
    if abs(inside - at) > timedelta(seconds=TOLERANCE_S):
        raise Invalid(field, "lies outside the session")
    return inside


def _start_and_end(found: _Cdr) -> tuple[datetime, datetime]:
    start_at = _second(found.start_date_time, "start_date_time")
    end_at = _second(found.end_date_time, "end_date_time")
    for at, field in ((start_at, "start_date_time"), (end_at, "end_date_time")):
        if at < FIRST_AT:
            raise Invalid(field, f"{at:%Y-%m-%d} means that nobody knows it")
    if end_at < start_at:
        raise Invalid("end_date_time", "is before start_date_time")
    if end_at - start_at > timedelta(seconds=MAX_SESSION_S):
        raise Invalid("end_date_time", f"is more than {MAX_SESSION_S // DAY_S} days after start_date_time")
    return start_at, end_at


def _second(at: datetime, field: str) -> datetime:
    """The whole second of an instant, as rating counts: periods of whole seconds then follow each other without overlap."""
    return in_utc(at, field).replace(microsecond=0)


def _periods(found: _Cdr) -> list[tuple[str, Period]]:
    """The periods with their paths; where there are none, the totals as one."""
    for name in _TOTALS:
        total = getattr(found, name)
        if total is not None and not is_quantity(total):
            raise Invalid(name, f"{total} is not a quantity from 0")
    periods = found.charging_periods or ()
    if len(periods) > MAX_PERIODS:
        raise Invalid("charging_periods", f"there must be at most {MAX_PERIODS}, not {len(periods)}")
    if periods:
        return [(f"charging_periods[{i}]", period) for i, period in enumerate(periods)]
    if found.total_energy is None:
        raise Invalid("charging_periods", "there are none, and no total_energy")
    return [("totals", _of_totals(found, found.total_energy))]


def _of_totals(found: _Cdr, total_energy: Decimal) -> Period:
    dimensions = [Dimension("ENERGY", total_energy)]
    parking = found.total_parking_time
    if parking is not None:
        dimensions.append(Dimension("PARKING_TIME", parking))
    if found.total_time is not None:
        charging = found.total_time - (parking or 0)
        if charging < 0:
            raise Invalid("total_parking_time", "is more than total_time")
        dimensions.append(Dimension("TIME", charging))
    return Period(found.start_date_time, tuple(dimensions))


def _energies_wh(found: _Cdr, spans: Sequence[Span]) -> tuple[list[int], bool]:
    """Whole Wh per period, rounded so that they sum to the rounded sum; and whether a total had to be spread."""
    total_kwh = found.total_energy or Decimal(0)
    shares, spread = [at.energy_kwh or Decimal(0) for at in spans], False
    charging_s = sum(at.charging_s for at in spans)
    if total_kwh and all(at.energy_kwh is None for at in spans):
        if not charging_s:
            raise Invalid("total_energy", "no charging period says when it was taken")
        shares, spread = [total_kwh * at.charging_s / charging_s for at in spans], True
    energies_wh, so_far_kwh, so_far_wh = [], Decimal(0), 0
    for share in shares:
        so_far_kwh += share
        next_wh = divide_half_up(*(so_far_kwh * 1000).as_integer_ratio())
        energies_wh.append(next_wh - so_far_wh)
        so_far_wh = next_wh
    return energies_wh, spread


def _findings(found: _Cdr, spans: Sequence[Span], cdr: Cdr, spread: bool) -> Iterator[Finding]:
    other_s = sum(at.other_s for at in spans)
    if other_s:
        text = f"{other_s} s are neither charging nor parking by the CDR: no cost for them"
        yield Finding(FindingCode.TIME_UNACCOUNTED, "charging_periods", text)
    if spread:
        text = "only the total energy is stated: it was spread evenly over the charging time"
        yield Finding(FindingCode.ENERGY_SPREAD, "total_energy", text)
    if not found.charging_periods:
        text = "there are no charging periods: the totals were taken as one, charging before parking, the energy spread evenly"
        yield Finding(FindingCode.ENERGY_SPREAD, "charging_periods", text)
    total_wh = None if found.total_energy is None else found.total_energy * 1000
    if total_wh is not None and abs(total_wh - cdr.energy_wh) > 1 and any(at.energy_kwh is not None for at in spans):
        text = f"the periods sum to {cdr.energy_wh} Wh, the total {total_wh.normalize():f}: the periods were priced"
        yield Finding(FindingCode.ENERGY_DIFFERS, "total_energy", text)
    if cdr.reservation and cdr.reservation.expired:
        text = "nothing follows the reservation: it was priced as one that expired"
        yield Finding(FindingCode.RESERVATION_EXPIRED, "charging_periods", text)
    if found.credit:
        yield Finding(FindingCode.CREDIT, "credit", "a credit CDR: every amount is the negative of what was priced")
