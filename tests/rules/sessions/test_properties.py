"""What holds of every session, whatever the station says and in whatever order?"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from laddbok.flow.rebuild import rebuild
from laddbok.model.cdr import Activity, ChargingPeriod
from laddbok.model.errors import Invalid
from laddbok.model.session import OPEN_STATES, Session, SessionState, VerdictKind
from laddbok.model.traits import Quirk, RegisterKind, Traits
from laddbok.sessions.meter import QUARTER, begin_meter, finish, periods, take_reading, turn
from tests.rules.sessions.people import decides, knows
from tests.rules.sessions.stage import (
    NOON,
    OTHER_TOKEN,
    PRICE,
    STRANGER,
    TOKEN,
    Stage,
    step,
    tariff_document,
    text_of,
)

MAX_STEPS = 14
Step = tuple[Any, ...]

seconds = st.sampled_from([0, 1, 5, 60, 299, 900, 3600])
registers = st.integers(-50, 2500)
tokens = st.sampled_from([TOKEN, OTHER_TOKEN, STRANGER])
tokens_201 = st.none() | tokens | st.just("")
evses = st.sampled_from([1, 1, 1, 2])
stamps_s = st.sampled_from([0, 0, 0, -7, -600, -7200, -(10**9), 10**9, 200])
"""How far from the truth the station's clock is."""
transactions = st.sampled_from([1, 1, 1, 2, 3, 0, None, 4711])
words = st.sampled_from(["Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Faulted"])
states = st.sampled_from([None, "Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle"])

common = (
    st.tuples(st.just("boots"), seconds),
    st.tuples(st.just("connects"), st.booleans()),
    st.tuples(st.just("waits"), st.sampled_from([60, 700, 90_000])),
    st.tuples(st.just("repeats"), st.integers(1, 3)),
    st.tuples(st.just("works")),
)
steps_16 = st.one_of(
    st.tuples(st.just("starts"), seconds, stamps_s, evses, tokens, registers),
    st.tuples(st.just("reads"), seconds, stamps_s, evses, transactions, registers),
    st.tuples(st.just("reads"), seconds, stamps_s, evses, transactions, registers),
    st.tuples(st.just("stops"), seconds, stamps_s, transactions, registers),
    st.tuples(st.just("status"), seconds, stamps_s, evses, words),
    *common,
)
people = (
    st.tuples(
        st.just("decides"),
        st.integers(0, 3),
        st.sampled_from(list(VerdictKind)),
        st.fixed_dictionaries(
            {},
            optional={
                "energy_wh": st.sampled_from([0, 83, 40_000]),
                "started_at": st.sampled_from([-3600, 60]).map(lambda s: NOON + timedelta(seconds=s)),
                "ended_at": st.sampled_from([900, 7200]).map(lambda s: NOON + timedelta(seconds=s)),
                "token": st.sampled_from([TOKEN, OTHER_TOKEN]),
            },
        ),
    ),
    st.tuples(st.just("decides"), st.just(0), st.just(VerdictKind.ACCEPT), st.just({})),
    st.tuples(st.just("knows"), st.lists(st.sampled_from(list(Quirk)), max_size=2, unique=True)),
    st.tuples(
        st.just("learns"),
        st.builds(
            Traits,
            version=st.integers(1, 99),
            register_kind=st.sampled_from(list(RegisterKind)),
            samples_from_zero=st.booleans(),
            clock_offset_s=st.sampled_from([0, 3600, -7200]),
        ),
    ),
    st.tuples(st.just("assigns"), st.sampled_from(["1.00", "9.99"])),
)
kinds = st.sampled_from(["Started", "Updated", "Updated", "Ended"])
names = st.sampled_from(["a", "a", "a", "b"])
steps_201 = st.one_of(
    st.tuples(st.just("event"), seconds, stamps_s, kinds, names, states, st.none() | registers, tokens_201, evses),
    st.tuples(st.just("event"), seconds, stamps_s, kinds, names, states, st.none() | registers, st.none(), st.none()),
    st.tuples(st.just("status"), seconds, stamps_s, evses, st.sampled_from(["Available", "Occupied"])),
    st.tuples(st.just("untold"), seconds, stamps_s, evses, registers),
    *common,
)


class Conversation:
    """A station that says whatever it is told to."""

    def __init__(self, protocol: str) -> None:
        self.stage = Stage(protocol)
        self.register_wh = 10_000
        self.tariffs = 0
        self.last: tuple[Callable[..., Any], str, dict[str, Any]] | None = None

    def goes(self, kind: str, *values: Any) -> None:
        getattr(self, kind)(*values)

    def says(self, action: str, payload: dict[str, Any], after_s: int) -> None:
        say = self.stage.says_16 if self.stage.protocol == "1.6" else self.stage.says_201
        self.last = (say, action, payload)
        answer = say(action, payload, after_s)
        assert isinstance(answer, dict), answer

    def stamp(self, after_s: int, off_s: int) -> str:
        return text_of(self.stage.now + timedelta(seconds=after_s + off_s))

    def register(self, change_wh: int) -> int:
        self.register_wh = max(self.register_wh, self.register_wh + change_wh)
        return self.register_wh if change_wh >= 0 else self.register_wh + change_wh

    def starts(self, after_s: int, off_s: int, evse: int, token: str, change_wh: int) -> None:
        payload = {"connectorId": evse, "idTag": token, "meterStart": self.register(change_wh)}
        self.says("StartTransaction", payload | {"timestamp": self.stamp(after_s, off_s)}, after_s)

    def reads(self, after_s: int, off_s: int, evse: int, transaction: int | None, change_wh: int) -> None:
        sampled = [{"value": str(self.register(change_wh))}]
        payload: dict[str, Any] = {
            "connectorId": evse,
            "meterValue": [{"timestamp": self.stamp(after_s, off_s), "sampledValue": sampled}],
        }
        self.says("MeterValues", payload | ({} if transaction is None else {"transactionId": transaction}), after_s)

    def stops(self, after_s: int, off_s: int, transaction: int | None, change_wh: int) -> None:
        payload = {"transactionId": transaction or 0, "meterStop": self.register(change_wh)}
        self.says("StopTransaction", payload | {"timestamp": self.stamp(after_s, off_s)}, after_s)

    def status(self, after_s: int, off_s: int, evse: int, word: str) -> None:
        at = {"timestamp": self.stamp(after_s, off_s), "connectorId": evse}
        if self.stage.protocol == "1.6":
            self.says("StatusNotification", at | {"errorCode": "NoError", "status": word}, after_s)
        else:
            self.says("StatusNotification", at | {"connectorStatus": word, "evseId": evse, "connectorId": 1}, after_s)

    def event(
        self,
        after_s: int,
        off_s: int,
        kind: str,
        name: str,
        state: str | None,
        change_wh: int | None,
        token: str | None,
        evse: int | None,
    ) -> None:
        transaction = {"transactionId": name} | ({"chargingState": state} if state else {})
        at = self.stamp(after_s, off_s)
        payload: dict[str, Any] = {"eventType": kind, "timestamp": at, "triggerReason": "Trigger", "seqNo": 1}
        payload["transactionInfo"] = transaction
        if change_wh is not None:
            payload["meterValue"] = [{"timestamp": at, "sampledValue": [{"value": self.register(change_wh)}]}]
        if token is not None:
            payload["idToken"] = {"idToken": token, "type": "ISO14443" if token else "NoAuthorization"}
        if evse is not None or kind == "Started":
            payload["evse"] = {"id": evse or 1, "connectorId": 1}
        self.says("TransactionEvent", payload, after_s)

    def untold(self, after_s: int, off_s: int, evse: int, change_wh: int) -> None:
        value = {"timestamp": self.stamp(after_s, off_s), "sampledValue": [{"value": self.register(change_wh)}]}
        self.says("MeterValues", {"evseId": evse, "meterValue": [value]}, after_s)

    def boots(self, after_s: int) -> None:
        station: dict[str, Any] = {"chargePointVendor": "N", "chargePointModel": "V"}
        if self.stage.protocol == "2.0.1":
            station = {"reason": "PowerUp", "chargingStation": {"vendorName": "N", "model": "V"}}
        self.says("BootNotification", station, after_s)

    def connects(self, is_published: bool) -> None:
        if is_published:
            step(self.stage.store.checkpoint(self.stage.desk.changed_sessions(), self.stage.now))
        self.stage.connect()

    def waits(self, duration_s: int) -> None:
        self.stage.waits(seconds=duration_s)

    def works(self) -> None:
        self.stage.work()

    def decides(self, number: int, kind: VerdictKind, fields: dict[str, Any]) -> None:
        """A person decides about a session once it is settled, held or void, if that can be decided."""
        rows = self.stage.store.sessions.values()
        if all(row.session.state in OPEN_STATES for row in rows):
            self.stage.waits(days=2)
            self.stage.work()
        closed = [row.session for row in rows if row.session.state not in OPEN_STATES]
        if closed:
            with suppress(Invalid):
                decides(self.stage, closed[number % len(closed)], kind, **fields)

    def knows(self, quirks: list[Quirk]) -> None:
        knows(self.stage, *quirks, time_zone="Europe/Stockholm")

    def learns(self, traits: Traits) -> None:
        self.stage.store.stations[1].traits = traits

    def assigns(self, price: str) -> None:
        """Another tariff for all from now on."""
        self.tariffs += 1
        name = f"T{self.tariffs}"
        document = tariff_document().replace(b'"id": "T"', f'"id": "{name}"'.encode())
        self.stage.store.terms.add_tariff(1, document.replace(str(PRICE).encode(), price.encode()))
        self.stage.store.terms.assign_tariff(1, "station", "CP-1", name, self.stage.now)

    def repeats(self, times: int) -> None:
        for _ in range(times if self.last else 0):
            assert self.last is not None
            say, action, payload = self.last
            say(action, payload, 1)


def held(stage: Stage) -> list[Session]:
    """The sessions that a desk believes in; what is kept aside, for a newer one has its id, only answers repetitions."""
    return [s for key, s in stage.desk.stations[1].state.sessions.items() if key == s.transaction_id]


def check(session: Session) -> None:
    """What must be true of a session at every moment."""
    pieces = periods(session.meter)
    assert sum(period.energy_wh for period in pieces) == (session.energy_wh or 0)
    assert all(period.energy_wh >= 0 and period.start_at <= period.end_at for period in pieces)
    assert all(before.end_at == after.start_at for before, after in pairwise(pieces))
    assert all(not _crosses_a_quarter(period) for period in pieces)
    if pieces:
        assert (pieces[0].start_at, pieces[-1].end_at) == (session.started_at, session.meter.mark_at)
    ended_at = session.transaction_ended_at
    if ended_at is not None:
        assert session.charging_ended_at is not None
        assert session.started_at <= session.charging_ended_at <= ended_at
        assert session.meter.mark_at == ended_at
        assert session.unplugged_at is None or ended_at <= session.unplugged_at


def _crosses_a_quarter(period: ChargingPeriod) -> bool:
    epoch = datetime(1970, 1, 1, tzinfo=period.start_at.tzinfo)
    end = period.start_at - (period.start_at - epoch) % QUARTER + QUARTER
    return period.end_at > end


def converse(protocol: str, steps: list[Step]) -> None:
    conversation = Conversation(protocol)
    for each in steps:
        conversation.goes(*each)
        for session in held(conversation.stage):
            check(session)
    for session in held(conversation.stage):
        if conversation.stage.store.sessions[1, session.id].session.state in OPEN_STATES:
            assert conversation.stage.refolded(session) == session
    conversation.stage.waits(days=2)
    conversation.stage.work()
    for session in conversation.stage.sessions():
        assert session.state in (SessionState.SETTLED, SessionState.REVIEW, SessionState.VOID)
        assert rebuild(conversation.stage.evidence(session)) == ()
    for issued in conversation.stage.store.cdrs.values():
        assert sum(period.energy_wh for period in issued.cdr.periods) == issued.cdr.energy_wh
        assert sum(line.excl_vat or 0 for line in issued.rating.lines) == issued.rating.excl_vat


@settings(max_examples=400, deadline=None)
@given(st.lists(steps_16, max_size=MAX_STEPS))
def test_what_the_evidence_says_is_what_the_desk_believed_16(steps: list[Step]) -> None:
    converse("1.6", steps)


@settings(max_examples=400, deadline=None)
@given(st.lists(steps_201, max_size=MAX_STEPS))
def test_what_the_evidence_says_is_what_the_desk_believed_201(steps: list[Step]) -> None:
    converse("2.0.1", steps)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(steps_16, *people), min_size=6, max_size=2 * MAX_STEPS))
def test_whatever_people_decide_and_tables_become_it_is_rebuilt_16(steps: list[Step]) -> None:
    converse("1.6", steps)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(steps_201, *people), min_size=6, max_size=2 * MAX_STEPS))
def test_whatever_people_decide_and_tables_become_it_is_rebuilt_201(steps: list[Step]) -> None:
    converse("2.0.1", steps)


increases = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 5000)), min_size=1, max_size=30)
turns = st.lists(st.tuples(st.integers(0, 9000), st.sampled_from(list(Activity))), max_size=5)


@given(increases, turns)
def test_the_periods_always_sum_to_the_energy(
    readings: list[tuple[int, int]], changes: list[tuple[int, Activity]]
) -> None:
    meter, at, register_wh = begin_meter(NOON, 0, Activity.CHARGING), NOON, 0
    for position, (after_s, wh) in enumerate(readings):
        for offset_s, activity in changes[position : position + 1]:
            meter = turn(meter, at + timedelta(seconds=offset_s), activity)
        at, register_wh = at + timedelta(seconds=after_s), register_wh + wh
        meter = take_reading(meter, at, register_wh)
        assert sum(period.energy_wh for period in periods(meter)) == meter.energy_wh == register_wh
    assert sum(period.energy_wh for period in periods(finish(meter, at + timedelta(hours=1)))) == register_wh


@given(increases, st.data())
def test_a_reading_more_in_between_changes_no_energy(readings: list[tuple[int, int]], data: st.DataObject) -> None:
    """A sample on the straight line between two others is no news, to a Wh of rounding in each quarter."""
    plain = finer = begin_meter(NOON, 0, Activity.CHARGING)
    at, register_wh = NOON, 0
    for after_s, wh in readings:
        part = data.draw(st.integers(0, after_s))
        between_wh = wh * part // after_s if after_s else wh
        finer = take_reading(finer, at + timedelta(seconds=part), register_wh + between_wh)
        at, register_wh = at + timedelta(seconds=after_s), register_wh + wh
        plain, finer = take_reading(plain, at, register_wh), take_reading(finer, at, register_wh)
    assert plain.energy_wh == finer.energy_wh == register_wh
    assert plain.mark_at == finer.mark_at
