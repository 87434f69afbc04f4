"""Are the month fee and the included energy of a subscription shared out exactly, whoever asks and in whatever order?"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.model.cdr import Cdr
from laddbok.model.superset import Subscription, Tier
from laddbok.model.tariff import TaxIncluded
from laddbok.rating.month_fee import Days, Month, held_days, month_fee, month_of, part_of_fee
from laddbok.rating.subscription import tier_ends
from tests.rules.rating.building import CHARGING, IDLE, STOCKHOLM, local, session

ZONE = ZoneInfo(STOCKHOLM)
HUNDRED_FREE = (Tier(to_kwh=Decimal(100), per_kwh=Decimal(0)),)
MAY = Month(2026, 5)


def wh_below(ends: tuple[tuple[int, ...], ...], tier: int = 0) -> int:
    return sum(each[tier] for each in ends)


def test_B41_two_sessions_at_once_use_a_hundred_kilowatt_hours_up_together() -> None:
    first = session("2026-05-04T10:00", (60, CHARGING, 60_000), session_id="A")
    second = session("2026-05-04T10:30", (60, CHARGING, 60_000), session_id="B")
    # 30 kWh alone, then both take 1 kW a minute: the 70 that are left are 35 and 35, of which the first has only 30.
    assert tier_ends([first, second], HUNDRED_FREE) == ((60_000,), (40_000,))
    together = session("2026-05-04T10:00", (60, CHARGING, 60_000), session_id="C")
    assert tier_ends([first, together], HUNDRED_FREE) == ((50_000,), (50_000,))


def test_B41_the_order_in_which_sessions_are_given_changes_nothing() -> None:
    sessions = [
        session(local("2026-05-04T10:00") + timedelta(minutes=7 * i), (45, CHARGING, 33_333), session_id=f"S{i}")
        for i in range(5)
    ]
    ends = tier_ends(sessions, HUNDRED_FREE)
    assert wh_below(ends) == 100_000
    assert tier_ends(sessions[::-1], HUNDRED_FREE) == ends[::-1]


def test_B41_what_earlier_sessions_used_is_gone() -> None:
    one = session("2026-05-04T10:00", (60, CHARGING, 60_000))
    assert tier_ends([one], HUNDRED_FREE, used_wh=70_000) == ((30_000,),)
    assert tier_ends([one], HUNDRED_FREE, used_wh=100_000) == ((0,),)
    assert tier_ends([one], HUNDRED_FREE, used_wh=250_000) == ((0,),)
    assert tier_ends([], HUNDRED_FREE) == ()
    assert tier_ends([one], ()) == ((),)


def test_B41_each_tier_has_its_end() -> None:
    tiers = tuple(Tier(to_kwh=Decimal(kwh), per_kwh=Decimal(1)) for kwh in ("10", "10.5", "50", "200"))
    first = session("2026-05-04T10:00", (60, CHARGING, 30_000), session_id="A")
    second = session("2026-05-05T10:00", (60, CHARGING, 30_000), session_id="B")
    assert tier_ends([first, second], tiers) == ((10_000, 10_500, 30_000, 30_000), (0, 0, 20_000, 30_000))


def test_time_without_energy_uses_nothing_up() -> None:
    parked = session("2026-05-04T10:00", (60, CHARGING, 60_000), (600, IDLE, 0), session_id="A")
    later = session("2026-05-04T12:00", (60, CHARGING, 60_000), session_id="B")
    assert tier_ends([parked, later], HUNDRED_FREE) == ((60_000,), (40_000,))


@st.composite
def months(draw: st.DrawFn) -> list[Cdr]:
    """Some sessions that overlap, each of one to three stretches, the last of which may take no time."""
    found = []
    for i in range(draw(st.integers(1, 6))):
        start_at = datetime(2026, 5, 4, 10, tzinfo=UTC) + timedelta(seconds=draw(st.integers(0, 5_000)))
        stretches = draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20_000)), min_size=1, max_size=3))
        found.append(session(start_at, *((minutes, CHARGING, wh) for minutes, wh in stretches), session_id=f"S{i}"))
    return found


@given(months(), st.lists(st.integers(1, 90_000), min_size=1, max_size=4, unique=True), st.integers(0, 40_000))
def test_every_watt_hour_below_a_tier_is_in_exactly_one_session(cdrs: list[Cdr], ends: list[int], used: int) -> None:
    tiers = [Tier(to_kwh=Decimal(wh) / 1000, per_kwh=Decimal(0)) for wh in sorted(ends)]
    found = tier_ends(cdrs, tiers, used)
    for i, tier in enumerate(tiers):
        left = max(int(tier.to_kwh * 1000) - used, 0)
        assert wh_below(found, i) == min(left, sum(cdr.energy_wh for cdr in cdrs))
    for cdr, positions in zip(cdrs, found, strict=True):
        assert all(0 <= one <= other for one, other in pairwise([0, *positions, cdr.energy_wh]))


def test_B42_joined_on_the_sixteenth_of_thirty_one_days() -> None:
    joined = held_days(MAY, local("2026-05-16T14:00"), None, ZONE)
    assert joined == Days(15, 31)
    assert part_of_fee(Decimal(99), joined, MAY, "SEK") == Decimal("51.10")
    assert part_of_fee(Decimal(99), Days(0, 15), MAY, "SEK") == Decimal("47.90")
    assert part_of_fee(Decimal(99), Days(0, 16), MAY, "SEK") == Decimal("51.10")


@given(st.lists(st.integers(0, 31), max_size=6), st.integers(-(10**7), 10**7))
def test_the_parts_of_a_month_are_the_fee_however_it_is_divided(cuts: list[int], minor: int) -> None:
    days = [0, *sorted(cuts), 31]
    fee = Decimal(minor) / 1000
    parts = [part_of_fee(fee, Days(*each), MAY, "SEK") for each in pairwise(days)]
    assert sum(parts) == part_of_fee(fee, Days(0, 31), MAY, "SEK")


def test_a_day_belongs_to_what_holds_at_its_end() -> None:
    change = local("2026-05-20T14:00")
    before = held_days(MAY, local("2026-01-01T00:00"), change, ZONE)
    after = held_days(MAY, change, None, ZONE)
    assert (before, after) == (Days(0, 19), Days(19, 31))
    assert held_days(MAY, local("2026-05-16T14:00"), local("2026-05-16T18:00"), ZONE) == Days(15, 15)
    assert held_days(MAY, local("2026-06-01T00:00"), None, ZONE) == Days(31, 31)
    assert held_days(MAY, local("2026-04-01T00:00"), local("2026-05-01T00:00"), ZONE) == Days(0, 0)
    assert held_days(MAY, local("2026-04-01T00:00"), local("2026-06-01T00:00"), ZONE) == Days(0, 31)


def test_a_month_is_that_of_the_sellers_clock() -> None:
    assert held_days(MAY, datetime(2026, 5, 15, 22, 30, tzinfo=UTC), None, ZONE) == Days(15, 31)
    assert held_days(MAY, datetime(2026, 5, 15, 22, 30, tzinfo=UTC), None, ZoneInfo("UTC")) == Days(14, 31)


def test_B11_a_session_over_month_end_belongs_to_the_month_in_which_it_ended() -> None:
    over = session("2026-04-30T23:00", (90, CHARGING, 10_000))
    assert month_of(over, ZONE) == MAY
    assert month_of(over, ZoneInfo("UTC")) == Month(2026, 4)
    running = replace(over, transaction_ended_at=None)
    assert month_of(running, ZONE) == MAY
    assert (Month(2026, 12).next(), str(MAY)) == (Month(2027, 1), "2026-05")


def test_the_vat_of_a_month_fee_is_on_the_side_of_the_tariff() -> None:
    terms = Subscription(month_fee=Decimal("99.99"), vat=Decimal(25))

    def sides(tax: TaxIncluded, given: Subscription = terms) -> tuple[Decimal | None, Decimal | None]:
        fee = month_fee(given, Days(0, 31), MAY, "SEK", tax)
        return fee.excl_vat, fee.incl_vat

    assert sides(TaxIncluded.NO) == (Decimal("99.99"), Decimal("124.99"))
    assert sides(TaxIncluded.YES) == (Decimal("79.99"), Decimal("99.99"))
    assert sides(TaxIncluded.NOT_APPLICABLE) == (Decimal("99.99"), Decimal("99.99"))
    silent = replace(terms, vat=None)
    assert sides(TaxIncluded.NO, silent) == (Decimal("99.99"), None)
    assert sides(TaxIncluded.YES, silent) == (None, Decimal("99.99"))


def test_february_has_its_own_days() -> None:
    assert Month(2028, 2).day_count == 29
    leap = Month(2028, 2)
    held = held_days(leap, datetime.combine(date(2028, 2, 29), datetime.min.time(), ZONE), None, ZONE)
    assert part_of_fee(Decimal(29), held, leap, "SEK") == Decimal("1.00")
