"""Are the market's days as long as they are, and is every gap one?"""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.model.errors import Invalid
from laddbok.model.market_prices import MAX_DAYS, gaps_of, market_day, missing_of, quarters_of

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@given(DAYS)
def test_days_follow_each_other_without_a_hole_and_have_92_96_or_100_quarters(day: date) -> None:
    quarters, following = quarters_of(day), quarters_of(day + timedelta(days=1))
    assert quarters.stop == following.start and len(quarters) in (92, 96, 100)
    assert all(market_day(datetime.fromtimestamp(at_s, UTC)) == day for at_s in (quarters[0], quarters[-1]))


@pytest.mark.parametrize(
    ("day", "count", "begins"),
    [
        (date(2026, 3, 29), 92, "2026-03-28T23:00"),
        (date(2026, 3, 30), 96, "2026-03-29T22:00"),
        (date(2026, 10, 25), 100, "2026-10-24T22:00"),
        (date(2026, 10, 26), 96, "2026-10-25T23:00"),
    ],
)
def test_B1_the_quarters_of_a_day(day: date, count: int, begins: str) -> None:
    quarters = quarters_of(day)
    assert len(quarters) == len(set(quarters)) == count
    assert f"{datetime.fromtimestamp(quarters[0], UTC):%Y-%m-%dT%H:%M}" == begins


def test_a_span_of_days_is_all_their_quarters_and_has_an_end() -> None:
    first = date(2026, 1, 1)
    assert len(quarters_of(first, date(2026, 12, 31))) == 365 * 96
    for last in (date(2025, 12, 31), first + timedelta(days=MAX_DAYS)):
        with pytest.raises(Invalid, match="to: it must be from 2026-01-01 on"):
            quarters_of(first, last)


@given(st.sets(st.integers(0, 95)))
def test_B37_gaps_are_exactly_the_quarters_without_a_price(known: set[int]) -> None:
    day = quarters_of(date(2026, 5, 4))
    missing = missing_of(day, {day[number] for number in known})
    gaps = gaps_of(missing)
    spread = [at_s for gap in gaps for at_s in range(int(gap.start_at.timestamp()), int(gap.end_at.timestamp()), 900)]
    assert spread == missing == [at_s for number, at_s in enumerate(day) if number not in known]
    assert sum(gap.quarters for gap in gaps) == len(missing)
    assert all(before.end_at < after.start_at for before, after in pairwise(gaps))
