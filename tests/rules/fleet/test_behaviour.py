"""Are drawn visits possible, repeatable, and like the ones that were measured?"""

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.fleet import behaviour_figures as figures
from laddbok.fleet.behaviour import SiteKind, Visit, arrival_rate_per_hour, draw_visit, power_at_soc

MONDAY = datetime.fromisoformat("2026-03-02")


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(SiteKind), hour=st.integers(0, 167))
def test_every_visit_is_possible(seed: int, kind: SiteKind, hour: int) -> None:
    visit = draw_visit(Random(seed), kind, MONDAY + timedelta(hours=hour))
    assert 60 <= visit.dwell_s <= 7 * 86400
    assert 0 < visit.energy_need_wh * 3600 <= visit.max_power_w * visit.dwell_s
    assert 0 <= visit.soc_at_arrival_pct < 100
    assert visit.soc_at_arrival_pct + 100 * visit.energy_need_wh / visit.battery_wh <= 100.5
    assert (visit.phases == 0) == (kind is SiteKind.PUBLIC_DC)


def test_the_same_seed_draws_the_same_visits() -> None:
    first, second = ([draw_visit(rng, SiteKind.PUBLIC_AC, MONDAY) for _ in range(20)] for rng in (Random(3), Random(3)))
    assert first == second


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(SiteKind))
def test_power_falls_towards_full_and_never_exceeds_its_class(seed: int, kind: SiteKind) -> None:
    visit = draw_visit(Random(seed), kind, MONDAY)
    curve = [power_at_soc(visit, soc_pct) for soc_pct in range(20, 101)]
    assert max(curve) == visit.max_power_w and min(curve) > 0
    assert curve == sorted(curve, reverse=True)
    assert power_at_soc(visit, 250) == power_at_soc(visit, 100)


@pytest.mark.parametrize("kind", SiteKind)
def test_a_week_of_arrivals_is_the_visits_of_a_week(kind: SiteKind) -> None:
    week = sum(arrival_rate_per_hour(kind, weekday, hour) for weekday in range(7) for hour in range(24))
    assert week == pytest.approx(figures.SITES[kind.value].visits_per_week, rel=0.01)


def test_people_come_to_work_in_the_morning_and_home_in_the_afternoon() -> None:
    def busiest(kind: SiteKind) -> int:
        return max(range(24), key=lambda hour: arrival_rate_per_hour(kind, 1, hour))

    assert busiest(SiteKind.WORKPLACE) in (7, 8, 9) and busiest(SiteKind.RESIDENTIAL) in (15, 16, 17)
    assert arrival_rate_per_hour(SiteKind.WORKPLACE, 6, 8) < arrival_rate_per_hour(SiteKind.WORKPLACE, 1, 8) / 2


def test_idle_after_full_is_common_at_home_and_rare_at_fast_chargers() -> None:
    def idle_share(kind: SiteKind) -> float:
        rng = Random(5)
        visits = [draw_visit(rng, kind, MONDAY + timedelta(hours=17)) for _ in range(500)]
        return sum(map(_has_idle_hour, visits)) / len(visits)

    assert idle_share(SiteKind.RESIDENTIAL) > 0.4
    assert idle_share(SiteKind.PUBLIC_DC) < 0.05


def _has_idle_hour(visit: Visit) -> bool:
    return visit.dwell_s - 3600 * visit.energy_need_wh / visit.max_power_w > 3600


def test_perth_fast_chargers_are_met(shared_data: Path) -> None:
    """Drawn stays at a fast charger have the measured median, read here from the data by another way than the tool's."""
    from laddbok.wires.importers.perth_kinross import perth_kinross
    from laddbok.wires.importers.row import ImportedSession
    from laddbok.wires.importers.session_file import open_sessions

    with open_sessions(shared_data / "sessions/perth_kinross_2016_2019.csv.gz") as file:
        rapid = [row for row in file.rows if row["model"] == "APT Triple Rapid Charger" and row["connector"] == "2"]
    stays = [s for s in perth_kinross(rapid) if isinstance(s, ImportedSession) and s.energy_wh >= 200]
    measured_min = median((s.end_at - s.start_at).total_seconds() / 60 for s in stays)
    rng = Random(11)
    drawn_min = [
        draw_visit(rng, SiteKind.PUBLIC_DC, MONDAY + timedelta(hours=h % 24)).dwell_s / 60 for h in range(4000)
    ]
    assert median(drawn_min) == pytest.approx(measured_min, rel=0.15)
