"""Which figures describe how drivers behave?

Reads the session data sets named in docs/fleet-statistics.md and writes `src/laddbok/fleet/behaviour_figures.py`:
for each kind of site how often and when drivers come, how long they stay by window of arrival, how much energy they
take by length of stay, and which power their vehicles have. Everything is a share or a quantile of what was measured.

Usage: python tools/fit_behaviour.py FOLDER_OF_SESSIONS [--check]
--check writes nothing, but draws visits from the present figures and prints them beside the measured ones.
"""

import csv
import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import log
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from laddbok.fleet.behaviour import Visit

QUANTILES = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
WINDOW_FIRST_HOUR = (5, 10, 15, 20)
DWELL_LIMIT_MIN = (10, 20, 35, 60, 180, 480, 960)
FIGURES_FILE = Path(__file__).parent.parent / "src/laddbok/fleet/behaviour_figures.py"
AC_CLASSES_W = {4_600: 3_700, 8_500: 7_400, 13_500: 11_000}
DC_CLASSES_W = (20_000, 30_000, 40_000, 50_000)
DC_MEAN_SHARE_OF_PEAK = 0.85
AC_FINAL_SHARE = 0.2
AC_NEED_SHARE_OF_BATTERY = 0.6
LEAST_ENERGY_WH = 200
LEAST_DWELL_MIN = 2.0
LEAST_IDLE_H = 0.5
LEAST_GROUP = 20
STEP_S = 60
WEEK_S = 7 * 86400


class Seen(NamedTuple):
    """One measured visit; `power_w` is the highest or mean power, None if it says nothing about the vehicle."""

    connector: str
    start_local: datetime
    dwell_min: float
    energy_wh: float
    power_w: float | None
    idle_min: float | None = None


def main(arguments: list[str]) -> int:
    """Write the figures, or compare the present ones with the data."""
    folder = Path(arguments[0])
    seen = {kind: [*keep_plausible(read(folder))] for kind, read in READERS.items()}
    if "--check" in arguments:
        print_comparison(seen)
        return 0
    FIGURES_FILE.write_text(figures_module(folder, seen), encoding="utf-8")
    return 0


def rows(path: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """The rows of one gzipped CSV file, by column name."""
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines, delimiter=delimiter)


def number(text: str) -> float:
    """A number with decimal point or decimal comma."""
    return float(text.replace(",", "."))


def perth(folder: Path, is_dc: bool) -> Iterator[Seen]:
    """Perth & Kinross: the direct-current outlets of its triple chargers, or its slow AC outlets."""
    dc = {
        ("APT Triple Rapid Charger", "2"),
        ("Siemens Triple Rapid Charger", "1"),
        ("Siemens Triple Rapid Charger", "2"),
    }
    for row in rows(folder / "perth_kinross_2016_2019.csv.gz"):
        wanted = (row["model"], row["connector"]) in dc if is_dc else "Dual Outlet" in row["model"]
        if wanted and row["end"]:
            start, end = datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"])
            hours, energy_wh = (end - start).total_seconds() / 3600, 1000 * float(row["kwh"])
            mean_w = energy_wh / hours if hours > 0 else None
            yield Seen(f"{row['cp_id']}/{row['connector']}", start, 60 * hours, energy_wh, mean_w if is_dc else None)


def elaad(folder: Path) -> Iterator[Seen]:
    """ElaadNL: public AC stations in the Netherlands, with the highest power of each session."""
    zone = ZoneInfo("Europe/Amsterdam")
    for row in rows(folder / "elaadnl_2019_sample.csv.gz", ";"):
        start = datetime.strptime(row["UTCTransactionStart"], "%d/%m/%Y %H:%M").replace(tzinfo=UTC).astimezone(zone)
        dwell_min, energy_wh = 60 * number(row["ConnectedTime"]), 1000 * number(row["TotalEnergy"])
        idle_min = max(0.0, dwell_min - 60 * number(row["ChargeTime"]))
        yield Seen(row["ChargePoint"], start, dwell_min, energy_wh, 1000 * number(row["MaxPower"]), idle_min)


def norway(folder: Path) -> Iterator[Seen]:
    """12 Norwegian housing sites; one user is one box. The power is the user's highest mean power over a session."""
    visits, power_w = [], Counter[str]()
    for row in rows(folder / "norway_12_residential_2018_2021.csv.gz", ";"):
        if row["plugout_time"] == "NA":
            continue
        hours, energy_wh = number(row["connection_time"]), 1000 * number(row["energy_session"])
        visits.append((row["user_id"], datetime.fromisoformat(row["plugin_time"]), 60 * hours, energy_wh))
        if hours >= LEAST_IDLE_H:
            power_w[row["user_id"]] = max(power_w[row["user_id"]], round(energy_wh / hours))
    return (Seen(*visit, power_w[visit[0]] or None) for visit in visits)


def caltech(folder: Path) -> Iterator[Seen]:
    """Caltech's garage: March 2019, when a working week looked like one, and the AC outlets of May to September 2021."""
    for row in rows(folder / "acn_caltech_2019_03_5min.csv.gz"):
        start = datetime(2019, 3, 1) + timedelta(minutes=5 * int(row["arrival"]))
        dwell_min = 5.0 * (int(row["departure"]) - int(row["arrival"]))
        yield Seen(row["station"], start, dwell_min, 1000 * float(row["kwh"]), None)
    with gzip.open(folder / "acn_caltech_2021.json.gz") as file:
        sessions = json.load(file)
    for session in sessions:
        if session["spaceID"].startswith("CA-"):
            yield caltech_2021(session)


def caltech_2021(session: dict[str, str]) -> Seen:
    """One session of 2021: its mean power until the vehicle was full, if it became full."""
    texts = (session["connectionTime"], session["disconnectTime"], session["doneChargingTime"])
    start, end, done = (datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT") if text else None for text in texts)
    assert start and end
    energy_wh = 1000 * float(session["kWhDelivered"])
    charging_s = (done - start).total_seconds() if done else 0.0
    power_w = 3600 * energy_wh / charging_s if charging_s > 600 else None
    local = start.replace(tzinfo=UTC).astimezone(ZoneInfo(session["timezone"]))
    return Seen(session["stationID"], local, (end - start).total_seconds() / 60, energy_wh, power_w)


READERS = {
    "public_ac": elaad,
    "public_dc": lambda folder: perth(folder, is_dc=True),
    "workplace": caltech,
    "residential": norway,
}


def keep_plausible(seen: Iterator[Seen]) -> Iterator[Seen]:
    """Without failed starts, which are no visits, and without meters gone wrong."""
    for visit in seen:
        if visit.dwell_min >= LEAST_DWELL_MIN and LEAST_ENERGY_WH <= visit.energy_wh <= visit.dwell_min / 60 * 60_000:
            yield visit


def quantiles(values: Sequence[float]) -> tuple[int, ...]:
    """The value at each of QUANTILES."""
    ordered = sorted(values)
    return tuple(round(ordered[min(int(share * len(ordered)), len(ordered) - 1)]) for share in QUANTILES)


def window(hour: int) -> int:
    """Which window of arrival an hour lies in."""
    return max((i for i, first in enumerate(WINDOW_FIRST_HOUR) if hour >= first), default=len(WINDOW_FIRST_HOUR) - 1)


def dwell_class(dwell_min: float) -> int:
    """Which length of stay this is."""
    return sum(dwell_min >= limit for limit in DWELL_LIMIT_MIN)


def power_class(power_w: float, is_dc: bool) -> int:
    """The class of a vehicle with this highest (AC) or mean (DC) power."""
    if is_dc:
        return next((w for w in DC_CLASSES_W if power_w <= w * DC_MEAN_SHARE_OF_PEAK), DC_CLASSES_W[-1])
    return next((w for limit, w in AC_CLASSES_W.items() if power_w <= limit), 22_000)


def shares(counts: Sequence[int], digits: int = 4) -> tuple[float, ...]:
    """Counts as shares of their sum."""
    return tuple(round(count / sum(counts), digits) for count in counts)


def hour_share(seen: Sequence[Seen], is_weekend: bool) -> tuple[float, ...]:
    """The share of each hour in the arrivals of working days, or of Saturdays and Sundays."""
    hours = Counter(v.start_local.hour for v in seen if (v.start_local.weekday() >= 5) == is_weekend)
    return shares([hours[hour] for hour in range(24)])


def visits_per_week(seen: Sequence[Seen]) -> float:
    """The median over connectors, of those seen for at least four weeks, of visits by weeks between first and last."""
    starts: dict[str, list[float]] = {}
    for visit in seen:
        starts.setdefault(visit.connector, []).append(visit.start_local.replace(tzinfo=UTC).timestamp())
    spans = {connector: max(times) - min(times) for connector, times in starts.items()}
    return round(median(len(starts[c]) * WEEK_S / span for c, span in spans.items() if span >= 4 * WEEK_S), 1)


def site_lines(kind: str, seen: Sequence[Seen], arrivals: Sequence[Seen], rate: float) -> Iterator[str]:
    """The literal of one kind of site."""
    days = Counter(visit.start_local.weekday() for visit in arrivals)
    power = Counter(power_class(v.power_w, kind == "public_dc") for v in seen if v.power_w is not None)
    power_share = dict(zip(sorted(power), shares([power[w] for w in sorted(power)], 3), strict=True))
    windows: list[list[float]] = [[] for _ in WINDOW_FIRST_HOUR]
    energies: list[list[float]] = [[] for _ in range(len(DWELL_LIMIT_MIN) + 1)]
    for visit in seen:
        windows[window(visit.start_local.hour)].append(visit.dwell_min)
        energies[dwell_class(visit.dwell_min)].append(visit.energy_wh)
    yield f'    "{kind}": SiteFigures('
    yield f"        visits_per_week={rate},"
    yield f"        weekday_share={shares([days[day] for day in range(7)])},"
    yield from hours("workday_hour_share", hour_share(arrivals, is_weekend=False))
    yield from hours("weekend_hour_share", hour_share(arrivals, is_weekend=True))
    yield f"        power_share={power_share},"
    yield from table("dwell_min", windows)
    yield from table("energy_wh", energies)
    yield "    ),"


def hours(name: str, by_hour: Sequence[float]) -> Iterator[str]:
    """24 shares, half a day a line."""
    yield f"        {name}=("
    yield from (f"            {', '.join(map(str, half))}," for half in (by_hour[:12], by_hour[12:]))
    yield "        ),"


def table(name: str, groups: Sequence[Sequence[float]]) -> Iterator[str]:
    """A table with a row of quantiles per group; a group too small to tell takes the row before it, or else after it."""
    rows_by_group = {i: quantiles(group) for i, group in enumerate(groups) if len(group) >= LEAST_GROUP}
    yield f"        {name}=("
    for index in range(len(groups)):
        nearest = max((i for i in rows_by_group if i <= index), default=min(rows_by_group))
        yield f"            {rows_by_group[nearest]},"
    yield "        ),"


def ac_taper_from_pct(folder: Path) -> float:
    """From which state of charge an AC vehicle takes less, found from how far the mean power is below the highest.

    With a straight taper from 1 to AC_FINAL_SHARE over the last x of the battery, and a need of f of the battery,
    mean/highest = f / (f + x * (ln(1/final) / (1 - final) - 1)). Vehicles that became full are taken.
    """
    fills = []
    for row in rows(folder / "elaadnl_2019_sample.csv.gz", ";"):
        connected_h, charging_h, peak_kw = (number(row[c]) for c in ("ConnectedTime", "ChargeTime", "MaxPower"))
        if connected_h - charging_h >= LEAST_IDLE_H and charging_h >= 1 and number(row["TotalEnergy"]) >= 1:
            fills.append(number(row["TotalEnergy"]) / (peak_kw * charging_h))
    stretch = log(1 / AC_FINAL_SHARE) / (1 - AC_FINAL_SHARE) - 1
    return round(100 * (1 - AC_NEED_SHARE_OF_BATTERY * (1 / median(fills) - 1) / stretch))


HEAD = '''"""How do drivers behave, in figures?

Written by `tools/fit_behaviour.py` from public session data; docs/fleet-statistics.md names sources, licences and
method. Never edit by hand. A row of quantiles has its values at the shares `QUANTILES`.
"""

import msgspec


class SiteFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of site."""

    visits_per_week: float
    """At one connector."""
    weekday_share: tuple[float, ...]
    """Monday first; sums to 1, as do the shares of the hours."""
    workday_hour_share: tuple[float, ...]
    weekend_hour_share: tuple[float, ...]
    power_share: dict[int, float]
    """Power class of the vehicle [W] to its share."""
    dwell_min: tuple[tuple[int, ...], ...]
    """A row of quantiles per window of arrival."""
    energy_wh: tuple[tuple[int, ...], ...]
    """A row of quantiles per length of stay."""


# fmt: off
'''


def figures_module(folder: Path, seen: dict[str, list[Seen]]) -> str:
    """The text of behaviour_figures.py."""
    march_2019 = [visit for visit in seen["workplace"] if visit.start_local.year == 2019]
    slow_perth = [*keep_plausible(perth(folder, is_dc=False))]
    arrivals = seen | {"workplace": march_2019}
    rates = {"public_ac": visits_per_week(slow_perth), "workplace": round(len(march_2019) / 31 * 7 / 47, 1)}
    lines = [
        f"QUANTILES = {QUANTILES}",
        f"WINDOW_FIRST_HOUR = {WINDOW_FIRST_HOUR}",
        '"""Windows of arrival by the local hour they begin at; the last runs over midnight to the first."""',
        f"DWELL_LIMIT_MIN = {DWELL_LIMIT_MIN}",
        '"""Lengths of stay: up to the first limit, between two, from the last. [min]"""',
        f"AC_TAPER_FROM_PCT = {ac_taper_from_pct(folder)}",
        f"AC_FINAL_SHARE = {AC_FINAL_SHARE}",
        "",
        "SITES = {",
    ]
    for kind, visits in seen.items():
        lines += site_lines(kind, visits, arrivals[kind], rates.get(kind) or visits_per_week(visits))
    return HEAD + "\n".join([*lines, "}", ""])


def charge(visit: "Visit") -> tuple[float, float]:
    """The energy [Wh] that a station without limits delivers during the stay, and the time that this takes [min]."""
    from laddbok.fleet.behaviour import power_at_soc

    taken_wh = 0.0
    for elapsed_s in range(0, visit.dwell_s, STEP_S):
        if taken_wh >= visit.energy_need_wh:
            return visit.energy_need_wh, elapsed_s / 60
        soc_pct = visit.soc_at_arrival_pct + 100 * taken_wh / visit.battery_wh
        taken_wh += power_at_soc(visit, soc_pct) * STEP_S / 3600
    return min(taken_wh, visit.energy_need_wh), visit.dwell_s / 60


def print_comparison(seen: dict[str, list[Seen]]) -> None:
    """Measured and drawn quantiles for each kind of site."""
    from laddbok.fleet.behaviour import SiteKind, draw_visit

    for kind, visits in seen.items():
        rng = Random(1)
        drawn = []
        for visit in visits:
            draw = draw_visit(rng, SiteKind(kind), visit.start_local)
            delivered_wh, charging_min = charge(draw)
            dwell_min = draw.dwell_s / 60
            drawn.append(Seen("", visit.start_local, dwell_min, delivered_wh, None, dwell_min - charging_min))
        for name, measure in MEASURES.items():
            measured = [value for visit in visits if (value := measure(visit)) is not None]
            if measured:
                print(f"{kind:12} {name:12} measured {quantiles(measured)}")
                print(f"{'':25} drawn    {quantiles([measure(visit) or 0.0 for visit in drawn])}")


MEASURES: dict[str, Callable[[Seen], float | None]] = {
    "dwell [min]": lambda visit: visit.dwell_min,
    "energy [Wh]": lambda visit: visit.energy_wh,
    "mean [W]": lambda visit: 60 * visit.energy_wh / visit.dwell_min,
    "idle [min]": lambda visit: visit.idle_min,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
