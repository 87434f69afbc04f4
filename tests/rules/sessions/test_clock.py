"""What if the clock is wrong by a constant, was never set, or shows local time?"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.flow.rebuild import rebuild
from laddbok.model.session import Clock, ReviewReason, Session, SessionState
from laddbok.model.traits import Quirk
from laddbok.sessions.timekeeping import AHEAD, LEAST_APART, LEAST_SAME, LIVE, clock_told, instant
from tests.rules.sessions.people import knows
from tests.rules.sessions.stage import NOON, PRICE, TOKEN, Stage, tariff_document, text_of

SETTLED, REVIEW = SessionState.SETTLED, SessionState.REVIEW
STOCKHOLM = ZoneInfo("Europe/Stockholm")
OFFSETS_S = [3600, -3600, 7200, -7200, 40 * 60, -40 * 60, 5 * 3600 + 1800]
DIALECTS = ["1.6", "2.0.1"]
Write = Callable[[datetime], str]
"""How the station writes a true instant."""


def off_by(seconds: int) -> Write:
    return lambda at: text_of(at + timedelta(seconds=seconds))


def local(at: datetime) -> str:
    return text_of(at.astimezone(STOCKHOLM).replace(tzinfo=UTC))


def charge(stage: Stage, write: Write, readings: int = 4, offline_s: int = 0) -> Session:
    """One charge with a reading of 500 Wh each ten minutes, told as it happens or all at once after `offline_s`."""
    number = len(stage.sessions()) + 1
    base_wh, begun_at = 10_000 * number, stage.now + timedelta(seconds=1)
    if offline_s:
        stage.now += timedelta(seconds=offline_s)
    step_s = 1 if offline_s else 600
    moments = [begun_at + timedelta(seconds=600 * step) for step in range(readings + 2)]
    of = f"tx-{number}"
    for step, moment in enumerate(moments):
        wh, stamp, after_s = base_wh + 500 * step, write(moment), step_s if step else 1
        value = {"value": wh if stage.protocol == "2.0.1" else str(wh)}
        values = [{"timestamp": stamp, "sampledValue": [value]}]
        is_last = moment is moments[-1]
        if stage.protocol == "2.0.1":
            kind = "Ended" if is_last else "Updated" if step else "Started"
            more = {} if step else {"token": TOKEN, "state": "Charging"}
            stage.event_201(kind, transaction_id=of, timestamp=stamp, meterValue=values, after_s=after_s, **more)  # type: ignore[arg-type]
        elif not step:
            number = stage.starts_16(wh, timestamp=stamp, after_s=after_s)["transactionId"]
        elif is_last:
            stage.stops_16(wh, number, timestamp=stamp, after_s=after_s)
        else:
            stage.reads_16(wh, number, meterValue=values, after_s=after_s)
    stage.work()
    session = stage.session()
    assert session.energy_wh == 500 * (readings + 1)
    return session


def truth(session: Session, begun_at: datetime, readings: int = 4) -> tuple[timedelta, timedelta]:
    """How far off the session's begin and end are."""
    ended_at = begun_at + timedelta(seconds=600 * (readings + 1))
    assert session.transaction_ended_at is not None
    return session.started_at - begun_at, session.transaction_ended_at - ended_at


RIGHT = (timedelta(), timedelta())


# ------------------------------------------------------------------ S28: off by a constant
@pytest.mark.parametrize("protocol", DIALECTS)
@pytest.mark.parametrize("off_s", OFFSETS_S)
def test_S28_a_clock_that_is_off_proves_itself_in_its_first_session(protocol: str, off_s: int) -> None:
    stage = Stage(protocol)
    begun_at = stage.now + timedelta(seconds=1)
    session = charge(stage, off_by(off_s))
    assert truth(session, begun_at) == RIGHT
    assert (session.state, session.review_reasons, session.clock.offset_s) == (SETTLED, (), -off_s)
    assert stage.store.stations[1].traits.clock_offset_s == -off_s
    assert rebuild(stage.evidence(session)) == ()


@pytest.mark.parametrize("protocol", DIALECTS)
@pytest.mark.parametrize("off_s", [-5 * 3600, 5 * 3600])
def test_S28_the_price_is_that_of_the_true_start(protocol: str, off_s: int) -> None:
    stage = Stage(protocol)
    dearer = tariff_document().replace(str(PRICE).encode(), b"9.99")
    newest = tariff_document().replace(str(PRICE).encode(), b"0.01")
    stage.store.terms.add_tariff(1, dearer, NOON - timedelta(hours=2))
    stage.store.terms.add_tariff(1, newest, NOON + timedelta(hours=2))
    session = charge(stage, off_by(off_s))
    assert session.state is SETTLED and session.tariff is not None and session.tariff.version == 2
    assert [str(line.price) for line in stage.rating().lines] == ["9.99"]
    assert rebuild(stage.evidence(session)) == ()


@pytest.mark.parametrize("protocol", DIALECTS)
@pytest.mark.parametrize("off_s", OFFSETS_S)
def test_S28_what_was_learned_serves_a_session_that_comes_all_at_once(protocol: str, off_s: int) -> None:
    stage = Stage(protocol)
    charge(stage, off_by(off_s))
    stage.connect()
    begun_at = stage.now + timedelta(seconds=1)
    session = charge(stage, off_by(off_s), offline_s=11 * 3600)
    assert truth(session, begun_at) == RIGHT
    assert (session.state, session.clock.offset_s) == (SETTLED, -off_s)
    assert rebuild(stage.evidence(session)) == ()


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S28_a_clock_that_was_set_right_is_believed_again(protocol: str) -> None:
    stage = Stage(protocol)
    charge(stage, off_by(3600))
    begun_at = stage.now + timedelta(seconds=1)
    session = charge(stage, text_of)
    assert truth(session, begun_at) == RIGHT
    assert (session.state, stage.store.stations[1].traits.clock_offset_s) == (SETTLED, 0)


def test_S28_a_right_clock_and_a_session_kept_offline_are_left_alone() -> None:
    stage = Stage()
    begun_at = stage.now + timedelta(seconds=1)
    session = charge(stage, text_of, offline_s=9 * 3600)
    assert truth(session, begun_at) == RIGHT
    assert (session.state, session.clock, stage.store.stations[1].traits.version) == (SETTLED, Clock(), 0)


@pytest.mark.parametrize("protocol", DIALECTS)
@pytest.mark.parametrize(
    "begin",
    [
        datetime(2026, 10, 24, 23, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 10, tzinfo=UTC),
        datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
        datetime(2026, 7, 1, 12, tzinfo=UTC),
    ],
    ids=["autumn", "in the hour that comes twice", "spring", "summer"],
)
def test_S28_local_time_through_a_change_of_summer_time(protocol: str, begin: datetime) -> None:
    stage = knows(Stage(protocol), Quirk.LOCAL_TIME, time_zone="Europe/Stockholm")
    stage.now = begin
    session = charge(stage, local, readings=12)
    assert truth(session, begin + timedelta(seconds=1), readings=12) == RIGHT
    assert (session.state, session.review_reasons) == (SETTLED, ())
    assert [p.energy_wh > 0 for p in stage.cdr().periods] == [True] * len(stage.cdr().periods)
    assert stage.store.stations[1].traits.clock_offset_s == 0
    assert rebuild(stage.evidence(session)) == ()


def test_S28_local_time_while_it_runs_in_the_hour_that_comes_twice() -> None:
    stage = knows(Stage(), Quirk.LOCAL_TIME, time_zone="Europe/Stockholm")
    stage.now = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    stage.starts_16(1_000, timestamp=local(stage.now + timedelta(seconds=1)))
    for step in range(1, 7):
        stamp = local(stage.now + timedelta(seconds=600))
        value = [{"timestamp": stamp, "sampledValue": [{"value": str(1_000 + 500 * step)}]}]
        stage.reads_16(0, meterValue=value)
        assert (stage.session().energy_wh, stage.session().meter.mark_at) == (500 * step, stage.now)


def test_S28_local_time_of_a_session_kept_offline() -> None:
    stage = knows(Stage(), Quirk.LOCAL_TIME, time_zone="Europe/Stockholm")
    begun_at = stage.now + timedelta(seconds=1)
    session = charge(stage, local, offline_s=11 * 3600)
    assert truth(session, begun_at) == RIGHT and session.state is SETTLED


@pytest.mark.parametrize("off_s", [3600, -3600])
def test_S28_a_stamp_that_is_right_is_never_corrected(off_s: int) -> None:
    clock = Clock(offset_s=off_s)
    for seconds in (0, 30, 119, -119):
        stamped_at = NOON + timedelta(seconds=seconds)
        assert instant(stamped_at, NOON, clock) == (stamped_at, True)


# ------------------------------------------------------------------ S27: never set
@pytest.mark.parametrize("protocol", DIALECTS)
def test_S27_a_clock_that_was_never_set_but_runs_is_anchored(protocol: str) -> None:
    stage = Stage(protocol)
    begun_at = stage.now + timedelta(seconds=1)
    since_1970 = datetime(1970, 1, 1, 0, 5, tzinfo=UTC) - begun_at
    session = charge(stage, lambda at: text_of(at + since_1970))
    assert truth(session, begun_at) == RIGHT and session.clock.anchor_s is not None
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.TIME_ESTIMATED,))
    assert rebuild(stage.evidence(session)) == ()


def test_S27_its_readings_keep_their_distances_though_they_come_at_once() -> None:
    stage = Stage()
    begun_at = stage.now + timedelta(seconds=1)
    since_1970 = datetime(1970, 1, 1, tzinfo=UTC) - begun_at
    session = charge(stage, lambda at: text_of(at + since_1970), offline_s=3001)
    assert session.transaction_ended_at is not None
    assert session.transaction_ended_at - session.started_at == timedelta(seconds=3000)
    assert abs(session.started_at - begun_at) <= timedelta(seconds=10)


def test_S27_stamps_that_stand_still_count_as_of_their_receipt() -> None:
    stage = Stage()
    begun_at = stage.now + timedelta(seconds=1)
    session = charge(stage, lambda at: "1970-01-01T00:00:00Z")
    assert truth(session, begun_at) == RIGHT and session.clock.anchor_s is None
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.TIME_ESTIMATED,))


def test_S27_a_model_whose_stamps_mean_nothing_is_read_by_our_clock() -> None:
    stage = knows(Stage(), Quirk.NO_CLOCK)
    begun_at = stage.now + timedelta(seconds=1)
    session = charge(stage, off_by(-40 * 60))
    assert truth(session, begun_at) == RIGHT
    assert session.started_at_is == "receipt" and stage.store.stations[1].traits.version == 0


# ------------------------------------------------------------------ properties
def lags(stamps: list[tuple[datetime, datetime]]) -> Clock:
    return clock_told(sorted(stamps, key=lambda stamp: stamp[1]))


ways_s = st.lists(st.integers(0, 4), min_size=LEAST_SAME, max_size=20)
"""How long messages are under way."""
far_s = st.integers(6 * 60, 26 * 3600 - 60)


@given(far_s | far_s.map(lambda s: -s), ways_s, st.integers(65, 900))
def test_any_true_offset_with_live_messages_is_found(off_s: int, ways: list[int], every_s: int) -> None:
    true = [NOON + timedelta(seconds=every_s * n) for n in range(len(ways))]
    stamps = [(at + timedelta(seconds=off_s), at + timedelta(seconds=way)) for at, way in zip(true, ways, strict=True)]
    clock = lags(stamps)
    assert clock.is_proven and abs(clock.offset_s + off_s) <= 90 + 4


@given(st.integers(1, 48), ways_s)
def test_an_offset_of_whole_quarters_is_found_to_the_second(quarters: int, ways: list[int]) -> None:
    for off_s in (900 * quarters, -900 * quarters):
        true = [NOON + timedelta(minutes=10 * n) for n in range(len(ways))]
        stamps = [
            (at + timedelta(seconds=off_s), at + timedelta(seconds=way)) for at, way in zip(true, ways, strict=True)
        ]
        assert lags(stamps).offset_s == -off_s


@given(
    st.lists(st.integers(10, 3600), min_size=1, max_size=30),
    st.integers(0, 20 * 3600),
    st.integers(0, 100),
    st.data(),
)
def test_a_queue_that_drains_is_never_taken_for_an_offset(
    gaps_s: list[int], silence_s: int, percent: int, data: st.DataObject
) -> None:
    """A right clock; messages are kept and then sent in order, in at most four fifths of the time in which they arose."""
    stamped = [NOON]
    for gap_s in gaps_s:
        stamped.append(stamped[-1] + timedelta(seconds=gap_s))
    received = [stamped[-1] + timedelta(seconds=silence_s)]
    for gap_s in gaps_s:
        received.append(received[-1] + timedelta(seconds=data.draw(st.integers(0, gap_s * 4 * percent // 500))))
    clock = clock_told(list(zip(stamped, received, strict=True)))
    assert clock.offset_s == 0 and clock.anchor_s is None


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 10**6)), max_size=20))
def test_whatever_was_stamped_an_instant_comes_out(stamps: list[tuple[int, int]]) -> None:
    pairs = [(NOON + timedelta(seconds=s), NOON + timedelta(seconds=r)) for s, r in stamps]
    clock = lags(pairs)
    for stamped_at, received_at in pairs:
        at, _ = instant(stamped_at, received_at, clock)
        assert at <= received_at + AHEAD


def test_how_much_proof_it_takes() -> None:
    late = timedelta(hours=1)
    apart = LEAST_APART / (LEAST_SAME - 1)
    enough = [(NOON + apart * n - late, NOON + apart * n) for n in range(LEAST_SAME)]
    assert clock_told(enough).offset_s == 3600
    assert clock_told(enough[:-1]) == Clock()
    assert not clock_told([(s, NOON + (r - NOON) / 2) for s, r in enough]).is_proven
    assert clock_told([(NOON + LIVE, NOON)]) == Clock(is_proven=True)
