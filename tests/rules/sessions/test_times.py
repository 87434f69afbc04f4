"""What if the station's clock is wrong?"""

from datetime import UTC, datetime, timedelta

import pytest

from laddbok.flow.rebuild import rebuild
from laddbok.model.session import ReviewReason, SessionState
from laddbok.sessions.timekeeping import AHEAD, OLDEST, instant
from tests.rules.sessions.stage import NOON, PRICE, Stage, tariff_document, text_of

WRONG = {"1970": "1970-01-01T00:00:07Z", "2014": "2014-06-01T10:00:00Z", "2036": "2036-02-07T06:28:15Z"}


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("stamp", WRONG.values(), ids=WRONG)
def test_S27_a_start_with_a_wrong_clock_counts_as_of_its_receipt_and_says_so(stage: Stage, stamp: str) -> None:
    stage.starts_16(1000, timestamp=stamp)
    session = stage.session()
    assert (session.started_at, session.started_at_is) == (stage.now, "receipt")
    stage.stops_16(3000)
    session = stage.settle()
    assert (session.energy_wh, session.state) == (2000, SessionState.REVIEW)
    assert session.review_reasons == (ReviewReason.TIME_ESTIMATED,)


@pytest.mark.parametrize("stamp", WRONG.values(), ids=WRONG)
def test_S27_the_stations_own_stamp_stays_in_the_evidence(stage: Stage, stamp: str) -> None:
    stage.starts_16(1000, timestamp=stamp)
    [frame] = stage.store.stations[1].frames.values()
    assert stamp.encode() in frame.raw and frame.received_at == stage.now


@pytest.mark.parametrize("stamp", WRONG.values(), ids=WRONG)
def test_S29_a_stop_with_a_wrong_clock_ends_the_session_with_its_energy(stage: Stage, stamp: str) -> None:
    stage.starts_16(1000)
    stage.stops_16(3000, timestamp=stamp)
    session = stage.settle()
    assert (session.energy_wh, session.state) == (2000, SessionState.REVIEW)
    assert session.review_reasons == (ReviewReason.TIME_ESTIMATED,)
    assert session.transaction_ended_at == session.last_contact_at


def test_S29_a_clock_that_is_set_after_the_start_loses_no_energy(stage: Stage) -> None:
    """An hour ahead at the start, told late; then the clock was set, and the only reading is from before that receipt."""
    stage.starts_16(1000, after_s=180, timestamp=text_of(NOON + timedelta(hours=1)))
    read_at = text_of(stage.now - timedelta(seconds=20))
    stage.reads_16(0, after_s=1, meterValue=[{"timestamp": read_at, "sampledValue": [{"value": "1744"}]}])
    stage.waits(days=2)
    session = stage.settle()
    assert (session.energy_wh, session.state) == (744, SessionState.REVIEW)
    assert session.review_reasons == (ReviewReason.TIME_ESTIMATED,)
    assert rebuild(stage.evidence(session)) == ()


def test_S29_a_reading_from_before_a_start_that_is_dated_by_its_receipt_takes_nothing_away(stage: Stage) -> None:
    stage.starts_16(1000, after_s=180, timestamp=text_of(NOON + timedelta(hours=1)))
    before = stage.session()
    read_at = text_of(stage.now - timedelta(seconds=20))
    stage.reads_16(0, after_s=1, meterValue=[{"timestamp": read_at, "sampledValue": [{"value": "950"}]}])
    assert stage.session().meter == before.meter


@pytest.mark.parametrize("stamp", WRONG.values(), ids=WRONG)
def test_S29_a_sample_with_a_wrong_clock_is_energy_all_the_same(stage: Stage, stamp: str) -> None:
    stage.starts_16(1000)
    value = [{"timestamp": stamp, "sampledValue": [{"value": "1700"}]}]
    stage.reads_16(0, meterValue=value)
    session = stage.session()
    assert (session.energy_wh, session.meter.mark_at) == (700, stage.now)
    stage.reads_16(1900)
    stage.stops_16(2000)
    session = stage.settle()
    assert (session.energy_wh, session.state) == (1000, SessionState.SETTLED)
    assert stage.cdr().periods[-1].end_at == session.transaction_ended_at


def test_S29_every_clock_of_a_station_without_one(stage: Stage) -> None:
    for seconds in range(3):
        stage.starts_16(1000, timestamp=f"1970-01-01T00:00:0{seconds}Z")
        stage.reads_16(
            1500, seconds + 1, meterValue=[{"timestamp": WRONG["1970"], "sampledValue": [{"value": "1500"}]}]
        )
        stage.stops_16(2000, seconds + 1, timestamp=WRONG["1970"])
    stage.settle()
    assert [session.energy_wh for session in stage.sessions()] == [1000] * 3


def test_a_stamp_a_little_ahead_is_believed(stage: Stage) -> None:
    ahead = stage.now + AHEAD
    stage.starts_16(1000, timestamp=text_of(ahead))
    assert (stage.session().started_at, stage.session().started_at_is) == (ahead, "station")


@pytest.mark.parametrize(
    ("stamped_at", "is_own"),
    [
        (NOON + AHEAD, True),
        (NOON + AHEAD + timedelta(microseconds=1), False),
        (NOON - OLDEST, True),
        (NOON - OLDEST - timedelta(microseconds=1), False),
        (None, False),
        (datetime(9999, 12, 31, tzinfo=UTC), False),
    ],
)
def test_which_stamps_are_believed(stamped_at: datetime | None, is_own: bool) -> None:
    assert instant(stamped_at, NOON) == (stamped_at if is_own else NOON, is_own)


def test_an_offline_session_keeps_the_stations_times(stage: Stage) -> None:
    started_at, ended_at = NOON - timedelta(hours=5), NOON - timedelta(hours=4)
    stage.starts_16(1000, timestamp=text_of(started_at))
    at = text_of(started_at + timedelta(minutes=20))
    stage.reads_16(2000, after_s=1, meterValue=[{"timestamp": at, "sampledValue": [{"value": "2000"}]}])
    stage.stops_16(4000, after_s=1, timestamp=text_of(ended_at))
    session = stage.settle()
    assert (session.started_at, session.transaction_ended_at) == (started_at, ended_at)
    assert (session.state, session.energy_wh) == (SessionState.SETTLED, 3000)
    periods = stage.cdr().periods
    assert (periods[0].start_at, periods[-1].end_at) == (started_at, ended_at)


def test_an_offline_session_takes_the_tariff_of_its_start(stage: Stage) -> None:
    dearer = tariff_document().replace(str(PRICE).encode(), b"9.99")
    stage.store.terms.add_tariff(1, dearer, NOON - timedelta(hours=1))
    stage.starts_16(1000, timestamp=text_of(NOON - timedelta(hours=2)))
    stage.stops_16(2000, timestamp=text_of(NOON - timedelta(minutes=90)))
    stage.settle()
    assert [line.price for line in stage.rating().lines] == [PRICE]
