"""Where can the price of a session change?

A CDR's charging periods are cut at every threshold of the tariff: times of day, the change to or from summer time, kWh
and durations. Inside a period energy is linear in time, in whole Wh. So a price depends on what happened, never on how
a station sliced it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.spot_prices import QUARTER_S
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.local_time import DAY_S, Offset, boundaries, offset_at, offsets, whole_seconds
from laddbok.rating.restrictions import Slice

Piece = tuple[int, int, int, int, bool]
"""start_s, end_s, energy before it [Wh], its energy [Wh], whether the energy at its start was interpolated."""


def slices(cdr: Cdr, compiled: CompiledTariff, tier_ends_wh: Sequence[int] = ()) -> list[Slice]:
    """The session in pieces within which the tariff says one thing, in time order.

    Args: tier_ends_wh, where [Wh] the tiers of a subscription end in this session.
    Raises: Invalid when the session is longer than any can be.
    Source: OCPI 2.3.0 mod_cdrs, CDR object (a period at every change that matters); our choice for the interpolation.
    """
    if not cdr.periods:
        return []
    started_s = whole_seconds(cdr.started_at)
    ended_s = whole_seconds(cdr.periods[-1].end_at)
    known = offsets(compiled.zone, started_s, ended_s) if compiled.uses_zone and compiled.zone else []
    cut_s = _cut_seconds(compiled, known, started_s, ended_s)
    cut_wh = sorted({*compiled.cut_wh, *tier_ends_wh}) if tier_ends_wh else compiled.cut_wh
    terms_day = _local_day(started_s, known) if compiled.dates_at_start and known else None
    found: list[Slice] = []
    wh_before, end_at, end_s = 0, cdr.started_at, started_s
    for period in cdr.periods:
        assert period.start_at >= end_at, cdr.session_id
        start_s = end_s if period.start_at == end_at else whole_seconds(period.start_at)
        end_at, end_s = period.end_at, whole_seconds(period.end_at)
        power_w = _power_w(period, end_s - start_s) if compiled.uses_power else 0
        for piece in _pieces(start_s, end_s, wh_before, period.energy_wh, cut_s, cut_wh):
            found.append(_slice(period, piece, started_s, power_w, known, terms_day))
        wh_before += period.energy_wh
    return found


def _cut_seconds(compiled: CompiledTariff, known: list[Offset], started_s: int, ended_s: int) -> list[int]:
    cut_s = [started_s + elapsed_s for elapsed_s in compiled.cut_elapsed_s]
    if compiled.spot:
        cut_s += range(started_s - started_s % QUARTER_S + QUARTER_S, ended_s, QUARTER_S)
    if known:
        cut_s += boundaries(known, ended_s, compiled.cut_seconds_of_day)
    cut_s.sort()
    return cut_s


def _pieces(
    start_s: int, end_s: int, wh_before: int, wh: int, cut_s: Sequence[int], cut_wh: Sequence[int]
) -> list[Piece]:
    times = cut_s[bisect_right(cut_s, start_s) : bisect_left(cut_s, end_s)] if cut_s else ()
    wh_after = wh_before + wh
    energies = cut_wh[bisect_right(cut_wh, wh_before) : bisect_left(cut_wh, wh_after)] if cut_wh else ()
    if not times and not energies:
        return [(start_s, end_s, wh_before, wh, False)]
    points = [*_points(wh, start_s, end_s, wh_before, times, energies), (end_s, wh_after)]
    pieces, at_s, at_wh, is_between = [], start_s, wh_before, False
    for next_s, next_wh in points:
        pieces.append((at_s, next_s, at_wh, next_wh - at_wh, is_between))
        at_s, at_wh, is_between = next_s, next_wh, next_s in times
    return pieces


def _points(
    wh: int, start_s: int, end_s: int, wh_before: int, times: Sequence[int], energies: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Where the line from start to end is cut, as (second, Wh), in order: positions share one denominator."""
    per_s, per_wh = max(wh, 1), max(end_s - start_s, 1)
    positions = {(t - start_s) * per_s: (t, wh_before + (t - start_s) * wh // per_wh) for t in times}
    for threshold in energies:
        into = threshold - wh_before
        positions[into * per_wh] = (start_s + into * (end_s - start_s) // per_s, threshold)
    return (positions[position] for position in sorted(positions))


def _slice(
    period: ChargingPeriod, piece: Piece, started_s: int, power_w: int, known: Sequence[Offset], terms_day: int | None
) -> Slice:
    start_s, end_s, wh_before, wh, interpolated = piece
    day, second_of_day = divmod(start_s + offset_at(known, start_s), DAY_S) if known else (0, 0)
    return Slice(
        start_s=start_s,
        end_s=end_s,
        wh_before=wh_before,
        wh=wh,
        activity=period.activity,
        power_w=power_w,
        current_ma=period.current_ma,
        elapsed_s=start_s - started_s,
        day=day,
        terms_day=day if terms_day is None else terms_day,
        second_of_day=second_of_day,
        estimated=period.estimated,
        interpolated=interpolated,
    )


def _local_day(at_s: int, known: Sequence[Offset]) -> int:
    return (at_s + offset_at(known, at_s)) // DAY_S


def _power_w(period: ChargingPeriod, duration_s: int) -> int:
    """The power that restrictions are judged by: the highest one recorded, else the period's mean."""
    if period.max_power_w is not None:
        return period.max_power_w
    if period.activity is not Activity.CHARGING:
        return 0
    return period.energy_wh * 3600 // duration_s if duration_s else 0
