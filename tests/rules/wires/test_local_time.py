"""Are wall times around the clocks' change read as the session says?"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.wires.importers.local_time import ASSUMED_FIRST, RESOLVED, SHIFTED, read_local
from laddbok.wires.importers.row import BadRow

LONDON = ZoneInfo("Europe/London")
OSLO = ZoneInfo("Europe/Oslo")


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "energy_wh", "expected", "flags"),
    [
        # Ends in the hour that comes twice: 20 kWh don't fit into 50 min at 11 kW.
        ("2019-10-27 01:40", "2019-10-27 02:30", 20_000, ("2019-10-26 23:40", "2019-10-27 01:30"), (RESOLVED,)),
        ("2019-10-27 01:40", "2019-10-27 02:30", 5_000, ("2019-10-26 23:40", "2019-10-27 00:30"), (ASSUMED_FIRST,)),
        # Both in it: 12 kWh fit into neither half hour, only into the hour and a half.
        ("2019-10-27 02:10", "2019-10-27 02:40", 12_000, ("2019-10-27 00:10", "2019-10-27 01:40"), (RESOLVED,)),
        ("2019-10-27 02:10", "2019-10-27 02:40", 2_000, ("2019-10-27 00:10", "2019-10-27 00:40"), (ASSUMED_FIRST,)),
        # It seems to end before it starts: only the second hour is possible.
        ("2019-10-27 02:50", "2019-10-27 02:10", 2_000, ("2019-10-27 00:50", "2019-10-27 01:10"), (RESOLVED,)),
        # More than any reading has room for: the order of the two still holds.
        ("2019-10-27 02:50", "2019-10-27 02:10", 90_000, ("2019-10-27 00:50", "2019-10-27 01:10"), (ASSUMED_FIRST,)),
        ("2019-10-27 02:30", "2019-10-27 09:00", 5_000, ("2019-10-27 00:30", "2019-10-27 08:00"), (ASSUMED_FIRST,)),
        # 02:30 doesn't exist in spring: it is moved on, unless that would put it after the end.
        ("2019-03-31 02:30", "2019-03-31 05:00", 5_000, ("2019-03-31 01:30", "2019-03-31 03:00"), (SHIFTED,)),
        ("2019-03-31 02:30", "2019-03-31 03:10", 2_000, ("2019-03-31 00:30", "2019-03-31 01:10"), (SHIFTED,)),
        ("2019-07-01 12:00", "2019-07-01 14:00", 5_000, ("2019-07-01 10:00", "2019-07-01 12:00"), ()),
    ],
)
def test_reads_the_possible_session(
    start: str, end: str, energy_wh: int, expected: tuple[str, str], flags: tuple[str, ...]
) -> None:
    read = read_local(wall(start), wall(end), OSLO, energy_wh, 11_000)
    assert (read.start_at, read.end_at) == (utc(expected[0]), utc(expected[1]))
    assert read.flags == flags


def test_without_a_known_power_only_the_order_tells() -> None:
    read = read_local(wall("2017-10-29 00:50"), wall("2017-10-29 01:20"), LONDON, 500_000, None)
    assert (read.end_at, read.flags) == (utc("2017-10-29 00:20"), (ASSUMED_FIRST,))


def test_refuses_the_edge_of_the_calendar() -> None:
    with pytest.raises(BadRow, match="calendar"):
        read_local(wall("0001-01-01 00:00"), wall("2017-10-29 01:20"), OSLO, 1, None)


@given(
    start_at=st.datetimes(wall("2015-01-01"), wall("2030-01-01"), timezones=st.just(UTC)),
    minutes=st.integers(0, 3 * 1440),
    zone=st.sampled_from([LONDON, OSLO]),
)
def test_reads_back_what_a_station_wrote_down(start_at: datetime, minutes: int, zone: ZoneInfo) -> None:
    """Unless an hour is doubtful the instants are those that were; if it is, they differ by at most that hour."""
    end_at = start_at + timedelta(minutes=minutes)
    start, end = (at.astimezone(zone).replace(tzinfo=None, fold=0) for at in (start_at, end_at))
    read = read_local(start, end, zone, energy_wh=0, max_power_w=22_000)
    assert read.start_at <= read.end_at
    if not read.flags:
        assert (read.start_at, read.end_at) == (start_at, end_at)
    assert abs(read.start_at - start_at) <= timedelta(hours=1) >= abs(read.end_at - end_at)
