"""Does every call get its one answer, in both directions?"""

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from laddbok.ocpp.frame import CallError, CallResult, OcppVersion
from laddbok.ocpp.link import (
    Close,
    Completed,
    Deliver,
    Effect,
    Garbled,
    Late,
    Link,
    LinkLimits,
    Respond,
    Send,
    Unanswered,
    UnansweredReason,
)

STOP = b'[2,"s1","StopTransaction",{"transactionId":1,"meterStop":10,"timestamp":"2026-01-01T00:00:00Z"}]'


def new_link(**limits: int) -> Link:
    numbers = itertools.count(1)
    return Link(OcppVersion.V16, lambda: f"our-{next(numbers)}", LinkLimits(**limits))


def status(message_id: str, connector_id: int = 1) -> bytes:
    return f'[2,"{message_id}","StatusNotification",{{"connectorId":{connector_id}}}]'.encode()


def sent_id(effects: list[Effect]) -> str:
    [send] = [each for each in effects if isinstance(each, Send)]
    return str(json.loads(send.raw)[1])


def test_a_call_is_delivered_and_its_answer_sent() -> None:
    link = new_link()
    [deliver] = link.receive(STOP, 0.0)
    assert isinstance(deliver, Deliver) and deliver.call.action == "StopTransaction"
    assert link.answer("s1", b'{"idTagInfo":{"status":"Accepted"}}') == [
        Send(b'[3,"s1",{"idTagInfo":{"status":"Accepted"}}]')
    ]
    assert link.answer("s1", b"{}") == []


def test_an_error_is_sent_as_the_answer() -> None:
    link = new_link()
    link.receive(STOP, 0.0)
    assert link.answer("s1", CallError("", "InternalError", "later")) == [Send(b'[4,"s1","InternalError","later",{}]')]


def test_S3_same_id_and_payload_is_answered_as_before() -> None:
    link = new_link()
    link.receive(STOP, 0.0)
    assert link.receive(STOP, 1.0) == [], "still being decided: answered once, when it is"
    [first] = link.answer("s1", b'{"idTagInfo":{"status":"Expired"}}')
    assert isinstance(first, Send)
    assert link.receive(STOP, 30.0) == [Respond(first.raw)]


def test_S3_same_id_with_another_payload_is_a_new_call() -> None:
    link = new_link()
    link.receive(status("1", 1), 0.0)
    link.answer("1", b"{}")
    [deliver] = link.receive(status("1", 2), 1.0)
    assert isinstance(deliver, Deliver)


def test_a_call_that_was_refused_is_decided_again() -> None:
    link = new_link()
    link.receive(STOP, 0.0)
    link.answer("s1", CallError("", "InternalError", "later"))
    assert isinstance(link.receive(STOP, 1.0)[0], Deliver)


def test_questions_and_old_calls_are_asked_afresh() -> None:
    link = new_link()
    heartbeat = b'[2,"same","Heartbeat",{}]'
    for now_s in (0.0, 1.0):
        assert isinstance(link.receive(heartbeat, now_s)[0], Deliver)
        link.answer("same", b"{}")
    link.receive(STOP, 0.0)
    link.answer("s1", b"{}")
    assert isinstance(link.receive(STOP, 601.0)[0], Deliver)


def test_the_table_of_answers_is_bounded() -> None:
    link = new_link(answers_kept=2)
    for message_id in ("a", "b", "c"):
        link.receive(status(message_id), 0.0)
        link.answer(message_id, b"{}")
    assert isinstance(link.receive(status("a"), 1.0)[0], Deliver)
    assert isinstance(link.receive(status("c"), 1.0)[0], Respond)


def test_garbage_is_refused_and_kept_and_the_socket_lives() -> None:
    link = new_link()
    respond, kept = link.receive(b"\xff\x00 garbage", 0.0)
    assert isinstance(respond, Respond) and json.loads(respond.raw)[:3] == [4, "-1", "FormationViolation"]
    assert isinstance(kept, Garbled) and (kept.code, kept.reason) == ("FormationViolation", json.loads(respond.raw)[3])
    assert isinstance(link.receive(STOP, 1.0)[0], Deliver)


def test_a_flood_fills_the_link_and_then_ends_it() -> None:
    link = new_link(max_open_inbound=2, max_unread_inbound=3)
    link.receive(status("1"), 0.0)
    assert not link.is_full
    link.receive(status("2"), 0.0)
    assert link.is_full
    assert isinstance(link.receive(status("3"), 0.0)[0], Deliver), "it was in the buffers already"
    [close] = link.receive(status("4"), 0.0)
    assert isinstance(close, Close) and close.code == 1008
    link.answer("1", b"{}")
    link.answer("2", b"{}")
    assert not link.is_full


def test_one_call_of_ours_is_open_and_the_others_wait() -> None:
    link = new_link()
    first = sent_id(link.call("k1", "Reset", b'{"type":"Soft"}', 0.0, 30.0))
    assert link.call("k2", "ClearCache", b"{}", 0.0, 60.0) == []
    completed, sent = link.receive(f'[3,"{first}",{{"status":"Accepted"}}]'.encode(), 1.0)
    assert isinstance(completed, Completed) and completed.key == "k1"
    assert isinstance(completed.outcome, CallResult) and bytes(completed.outcome.payload) == b'{"status":"Accepted"}'
    assert sent == Send(b'[2,"our-2","ClearCache",{}]')
    [failed] = link.receive(b'[4,"our-2","NotSupported","no",{}]', 2.0)
    assert isinstance(failed, Completed) and isinstance(failed.outcome, CallError)
    assert link.deadline() is None


def test_S66_an_authorize_is_delivered_while_our_call_is_open() -> None:
    link = new_link()
    link.call("k1", "RemoteStartTransaction", b'{"idTag":"A"}', 0.0, 30.0)
    [deliver] = link.receive(b'[2,"x","Authorize",{"idTag":"A"}]', 0.5)
    assert isinstance(deliver, Deliver)
    assert isinstance(link.answer("x", b"{}")[0], Send)


def test_S66_both_sides_may_use_the_same_id() -> None:
    link = new_link()
    link.call("k1", "Reset", b'{"type":"Soft"}', 0.0, 30.0)
    assert isinstance(link.receive(status("our-1"), 0.5)[0], Deliver)
    [completed] = link.receive(b'[3,"our-1",{"status":"Accepted"}]', 1.0)
    assert isinstance(completed, Completed)


def test_S67_an_answer_after_its_time_is_late_and_not_an_error() -> None:
    link = new_link()
    link.call("k1", "Reset", b'{"type":"Soft"}', 0.0, 30.0)
    link.call("k2", "ClearCache", b"{}", 1.0, 60.0)
    assert link.deadline() == 30.0
    assert link.tick(29.9) == []
    timed_out, sent = link.tick(30.0)
    assert timed_out == Completed("k1", Unanswered(UnansweredReason.TIMEOUT, sent=True))
    assert isinstance(sent, Send) and link.deadline() == 61.0
    [late] = link.receive(b'[3,"our-1",{"status":"Accepted"}]', 31.0)
    assert isinstance(late, Late) and late.key == "k1"
    assert link.receive(b'[3,"our-1",{"status":"Accepted"}]', 32.0) == [], "only the first late answer counts"


def test_a_queued_call_times_out_unsent() -> None:
    link = new_link()
    link.call("k1", "Reset", b"{}", 0.0, 30.0)
    link.call("k2", "ClearCache", b"{}", 0.0, 10.0)
    assert link.tick(10.0) == [Completed("k2", Unanswered(UnansweredReason.TIMEOUT, sent=False))]


def test_S67_a_queued_call_can_be_cancelled_but_not_an_open_one() -> None:
    link = new_link()
    link.call("k1", "Reset", b"{}", 0.0, 30.0)
    link.call("k2", "ClearCache", b"{}", 0.0, 30.0)
    assert link.cancel("k1") == []
    assert link.cancel("k2") == [Completed("k2", Unanswered(UnansweredReason.CANCELLED, sent=False))]
    assert link.cancel("k2") == []


def test_the_queue_of_our_calls_is_bounded() -> None:
    link = new_link(max_queued_calls=1)
    link.call("k1", "Reset", b"{}", 0.0, 30.0)
    link.call("k2", "Reset", b"{}", 0.0, 30.0)
    assert link.call("k3", "Reset", b"{}", 0.0, 30.0) == [
        Completed("k3", Unanswered(UnansweredReason.QUEUE_FULL, sent=False))
    ]


def test_an_unreadable_answer_ends_our_call() -> None:
    link = new_link()
    link.call("k1", "Reset", b"{}", 0.0, 30.0)
    [kept] = link.receive(b'[3,"someone-else"', 1.0)
    assert isinstance(kept, Garbled), "an answer to nobody is answered with nothing, and kept"
    assert link.receive(b'[3,"our-1",{"status":', 1.0) == [
        Completed("k1", Unanswered(UnansweredReason.UNREADABLE, sent=True))
    ]


def test_a_lost_connection_ends_every_call_of_ours() -> None:
    link = new_link()
    link.call("k1", "Reset", b"{}", 0.0, 30.0)
    link.call("k2", "ClearCache", b"{}", 0.0, 30.0)
    link.receive(STOP, 0.0)
    assert link.lost() == [
        Completed("k1", Unanswered(UnansweredReason.CONNECTION_LOST, sent=True)),
        Completed("k2", Unanswered(UnansweredReason.CONNECTION_LOST, sent=False)),
    ]
    assert link.answer("s1", b"{}") == [] and link.deadline() is None


steps = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(1, 40)),
        st.tuples(st.just("reply"), st.integers(1, 30)),
        st.tuples(st.just("tick"), st.integers(1, 30)),
    ),
    max_size=60,
)


@given(steps)
def test_every_call_of_ours_ends_exactly_once_and_one_is_open(moves: list[tuple[str, int]]) -> None:
    link, now_s, effects, asked = new_link(max_queued_calls=4), 0.0, list[Effect](), 0
    for move, number in moves:
        now_s += 1.0
        match move:
            case "call":
                asked += 1
                effects += link.call(f"k{asked}", "Reset", b"{}", now_s, float(number))
            case "reply":
                effects += link.receive(f'[3,"our-{number}",{{}}]'.encode(), now_s)
            case _:
                now_s += number
                effects += link.tick(now_s)
        sent = sum(isinstance(each, Send) for each in effects)
        over = [each for each in effects if isinstance(each, Completed)]
        after_sending = sum(not isinstance(each.outcome, Unanswered) or each.outcome.sent for each in over)
        assert sent - after_sending in (0, 1)
    effects += link.lost()
    ended = [each.key for each in effects if isinstance(each, Completed)]
    assert sorted(ended) == sorted(f"k{number}" for number in range(1, asked + 1))
