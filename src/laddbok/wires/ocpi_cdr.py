"""What does a foreign OCPI CDR say was used?

CDRs as they are in the wild, 2.2.1 and 2.3.0, become our CDR. A period ends where the next one starts; the last one with
the session. TIME and PARKING_TIME say how much of a period was charging and parking, charging first; where neither is
given, energy tells. What contradicts itself is refused, what is only missing becomes a finding.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.errors import Invalid
from laddbok.model.money import divide_half_up
from laddbok.model.rated import Finding, FindingCode
from laddbok.model.tariff import below_maximum, convert, in_utc

MAX_PERIODS = 10_000
MAX_DECIMALS = 400
"""As many as a floating-point number can have when it is written out."""

TOLERANCE_S = 40
"""Volumes are hours, in the wild with as few as two decimals, so a period's times may miss its length by this much."""

_READ = ("ENERGY", "TIME", "PARKING_TIME", "RESERVATION_TIME", "MAX_POWER")
_PASSED_OVER = (
    "CURRENT", "ENERGY_EXPORT", "ENERGY_IMPORT", "MAX_CURRENT", "MIN_CURRENT", "MIN_POWER", "POWER", "STATE_OF_CHARGE",
)  # fmt: skip


class _Dimension(msgspec.Struct, frozen=True):
    type: str
    volume: Decimal


class _Period(msgspec.Struct, frozen=True):
    start_date_time: datetime
    dimensions: tuple[_Dimension, ...] | None = None


class _Location(msgspec.Struct, frozen=True):
    country: str | None = None
    time_zone: str | None = None


class _Cdr(msgspec.Struct, frozen=True):
    currency: str
    start_date_time: datetime
    end_date_time: datetime
    charging_periods: tuple[_Period, ...]
    total_energy: Decimal | None = None
    cdr_location: _Location | None = None
    time_zone: str | None = None
    id: str | None = None
    session_id: str | None = None
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


class _Span(NamedTuple):
    """A period of the file, cleaned: seconds of charging, parking and neither, and energy [kWh] if it says."""

    start_at: datetime
    charging_s: int
    parking_s: int
    other_s: int
    energy_kwh: Decimal | None
    max_power_w: int | None


def read_cdr(fields: dict[str, Any]) -> ForeignCdr:
    """Read a decoded OCPI CDR.

    Raises: Invalid, with the path of the field, for what is missing, unknown, negative or contradicts itself.
    Source: OCPI 2.2.1 and 2.3.0 mod_cdrs, CDR object, ChargingPeriod, CdrDimensionType.
    """
    found = convert(fields, _Cdr)
    spans = list(_spans(found))
    energies_wh, spread = _energies_wh(found, spans)
    periods = tuple(_periods(spans, energies_wh, spread))
    ended_at = in_utc(found.end_date_time, "end_date_time")
    location = found.cdr_location or _Location()
    cdr = Cdr(
        session_id=found.session_id or found.id or "",
        started_at=in_utc(found.start_date_time, "start_date_time"),
        charging_ended_at=max((p.end_at for p in periods if p.activity is Activity.CHARGING), default=None),
        transaction_ended_at=ended_at,
        unplugged_at=ended_at,
        last_contact_at=ended_at,
        energy_wh=sum(energies_wh),
        periods=periods,
        time_zone=location.time_zone or found.time_zone or "UTC",
    )
    stated = any(span.energy_kwh is not None for span in spans) or bool(found.total_energy)
    return ForeignCdr(
        cdr=cdr,
        currency=found.currency,
        time_zone=location.time_zone or found.time_zone,
        country=location.country,
        energy_known=stated or not any(span.charging_s for span in spans),
        is_credit=bool(found.credit),
        findings=tuple(_findings(found, spans, cdr.energy_wh, spread)),
    )


def _spans(found: _Cdr) -> Iterator[_Span]:
    start_at, end_at = in_utc(found.start_date_time, "start_date_time"), in_utc(found.end_date_time, "end_date_time")
    if end_at < start_at:
        raise Invalid("end_date_time", "is before start_date_time")
    if not 1 <= len(found.charging_periods) <= MAX_PERIODS:
        raise Invalid("charging_periods", f"there must be 1 to {MAX_PERIODS}, not {len(found.charging_periods)}")
    energy_given = any(d.type == "ENERGY" for p in found.charging_periods for d in p.dimensions or ())
    assume_charging = not energy_given and bool(found.total_energy)
    starts = [
        in_utc(period.start_date_time, f"charging_periods[{i}].start_date_time")
        for i, period in enumerate(found.charging_periods)
    ]
    order = sorted(range(len(starts)), key=starts.__getitem__)
    for place, i in enumerate(order):
        until_at = starts[order[place + 1]] if place + 1 < len(order) else end_at
        path = f"charging_periods[{i}]"
        if starts[i] < start_at or until_at > end_at or until_at < starts[i]:
            raise Invalid(f"{path}.start_date_time", "lies outside the session")
        yield _span(found.charging_periods[i], path, starts[i], until_at, assume_charging)


def _span(period: _Period, path: str, start_at: datetime, until_at: datetime, assume_charging: bool) -> _Span:
    volumes = _volumes(period, path)
    if volumes.get("RESERVATION_TIME"):
        raise Invalid(f"{path}.dimensions", "reservation time can't be priced")
    length_s = int(until_at.timestamp()) - int(start_at.timestamp())
    charging_s, parking_s = _times(volumes, length_s, path, assume_charging)
    power_kw = volumes.get("MAX_POWER")
    return _Span(
        start_at=start_at,
        charging_s=charging_s,
        parking_s=parking_s,
        other_s=length_s - charging_s - parking_s,
        energy_kwh=volumes.get("ENERGY"),
        max_power_w=None if power_kw is None else int(power_kw * 1000),
    )


def _volumes(period: _Period, path: str) -> dict[str, Decimal]:
    volumes: dict[str, Decimal] = {}
    for j, dimension in enumerate(period.dimensions or ()):
        where, kind, volume = f"{path}.dimensions[{j}]", dimension.type, dimension.volume
        if kind in _PASSED_OVER:
            continue
        if kind not in _READ:
            raise Invalid(f"{where}.type", f"{kind!r} is not a dimension of OCPI 2.2.1 or 2.3.0")
        if not _is_quantity(volume):
            raise Invalid(f"{where}.volume", f"{volume} is not a volume from 0")
        volumes[kind] = volumes.get(kind, Decimal(0)) + volume
    return volumes


def _times(volumes: dict[str, Decimal], length_s: int, path: str, assume_charging: bool) -> tuple[int, int]:
    """Charging and parking [s] in a period of this length; instants are trusted to the second, volumes are not."""
    stated_s = {kind: _seconds(volumes[kind]) for kind in ("TIME", "PARKING_TIME") if kind in volumes}
    energy_kwh = volumes.get("ENERGY")
    total_s = sum(stated_s.values())
    if total_s > length_s + TOLERANCE_S:
        raise Invalid(f"{path}.dimensions", f"{total_s} s of time in a period of {length_s} s")
    parking_s = min(stated_s.get("PARKING_TIME", 0), length_s)
    if "TIME" not in stated_s and (energy_kwh or (assume_charging and not stated_s)):
        return length_s - parking_s, parking_s
    if not stated_s:
        return (0, 0) if energy_kwh is None else (0, length_s)
    if total_s < length_s - TOLERANCE_S:
        return stated_s.get("TIME", 0), parking_s
    if "PARKING_TIME" not in stated_s:
        return length_s, 0
    charging_s = min(stated_s.get("TIME", 0), length_s)
    return charging_s, length_s - charging_s


def _energies_wh(found: _Cdr, spans: Sequence[_Span]) -> tuple[list[int], bool]:
    """Whole Wh per period, rounded so that they sum to the rounded sum; and whether a total had to be spread."""
    total_kwh = found.total_energy or Decimal(0)
    if not _is_quantity(total_kwh):
        raise Invalid("total_energy", f"{total_kwh} is not an energy from 0")
    shares, spread = [span.energy_kwh or Decimal(0) for span in spans], False
    charging_s = sum(span.charging_s for span in spans)
    if total_kwh and charging_s and all(span.energy_kwh is None for span in spans):
        shares, spread = [total_kwh * span.charging_s / charging_s for span in spans], True
    energies_wh, so_far_kwh, so_far_wh = [], Decimal(0), 0
    for share in shares:
        so_far_kwh += share
        next_wh = divide_half_up(*(so_far_kwh * 1000).as_integer_ratio())
        energies_wh.append(next_wh - so_far_wh)
        so_far_wh = next_wh
    return energies_wh, spread


def _periods(spans: Sequence[_Span], energies_wh: Sequence[int], spread: bool) -> Iterator[ChargingPeriod]:
    """Our periods in time order; what is neither charging nor parking is a pause that nobody pays for."""
    charged = False
    for span, energy_wh in zip(spans, energies_wh, strict=True):
        parked = Activity.IDLE if charged or span.charging_s else Activity.PAUSED_BY_EV
        activities = [
            (Activity.CHARGING, span.charging_s), (parked, span.parking_s), (Activity.PAUSED_BY_EVSE, span.other_s)
        ]  # fmt: skip
        start_at, left_wh = span.start_at, energy_wh
        present = [each for each in activities if each[1]] or [(Activity.CHARGING, 0)]
        for activity, length_s in present:
            end_at = start_at + timedelta(seconds=length_s)
            yield ChargingPeriod(
                start_at=start_at, end_at=end_at, activity=activity, energy_wh=left_wh,
                max_power_w=span.max_power_w if left_wh else None, estimated=spread and left_wh > 0,
            )  # fmt: skip
            start_at, left_wh = end_at, 0
        charged |= span.charging_s > 0


def _findings(found: _Cdr, spans: Sequence[_Span], energy_wh: int, spread: bool) -> Iterator[Finding]:
    other_s = sum(span.other_s for span in spans)
    if other_s:
        text = f"{other_s} s are neither charging nor parking by the CDR: no cost for them"
        yield Finding(FindingCode.TIME_UNACCOUNTED, "charging_periods", text)
    if spread:
        text = "only the total energy is stated: it was spread evenly over the charging time"
        yield Finding(FindingCode.ENERGY_SPREAD, "total_energy", text)
    total_wh = None if found.total_energy is None else found.total_energy * 1000
    if total_wh is not None and abs(total_wh - energy_wh) > 1 and any(s.energy_kwh is not None for s in spans):
        text = f"the periods sum to {energy_wh} Wh, the total says {total_wh.normalize():f}: the periods were priced"
        yield Finding(FindingCode.ENERGY_DIFFERS, "total_energy", text)
    if found.credit:
        yield Finding(FindingCode.CREDIT, "credit", "a credit CDR: the total is the negative of what was priced")


def _is_quantity(number: Decimal) -> bool:
    """From 0, neither too large nor so small that computing with it would take long."""
    return below_maximum(number) and number >= 0 and number.adjusted() > -MAX_DECIMALS


def _seconds(hours: Decimal) -> int:
    return divide_half_up(*(hours * 3600).as_integer_ratio())
