"""Is one token in one session, where that is asked for, and is it the same token in whatever form a reader sends it?"""

import pytest

from laddbok.model.session import ReviewReason, SessionState
from laddbok.sessions.authorize import byte_reversed
from tests.rules.sessions.stage import TOKEN, Stage, step, text_of

BACKWARDS = "C3B2A104"


def alone(protocol: str = "1.6") -> Stage:
    """A stage on which the token may be in one session at a time."""
    stage = Stage(protocol)
    stage.store.terms.add_token(1, TOKEN, single_session=True)
    return stage


def test_S20_a_second_start_with_the_same_token_is_concurrent_in_16() -> None:
    stage = alone()
    assert stage.starts_16()["idTagInfo"] == {"status": "Accepted"}
    second = stage.starts_16(connectorId=2)
    assert second["idTagInfo"] == {"status": "ConcurrentTx"}
    stopped = stage.stops_16(1000, second["transactionId"], after_s=5, idTag=TOKEN)
    assert stopped == {"idTagInfo": {"status": "Accepted"}}
    session = stage.settle()
    assert (session.state, session.review_reasons) == (SessionState.REVIEW, (ReviewReason.TOKEN_REFUSED,))


def test_S20_a_second_start_with_the_same_token_is_concurrent_in_201() -> None:
    stage = alone("2.0.1")
    started = stage.event_201("Started", token=TOKEN, register_wh=0)
    assert started["idTokenInfo"] == {"status": "Accepted"}
    other = {"evse": {"id": 2, "connectorId": 1}, "transaction_id": "tx-2"}
    assert stage.event_201("Started", token=TOKEN, **other)["idTokenInfo"] == {"status": "ConcurrentTx"}


def test_S20_a_token_that_comes_after_the_start_is_asked_for_too() -> None:
    stage = alone("2.0.1")
    stage.event_201("Started", token=TOKEN, register_wh=0)
    other = {"evse": {"id": 2, "connectorId": 1}, "transaction_id": "tx-2"}
    stage.event_201("Started", **other)
    assert stage.event_201("Updated", token=TOKEN, **other)["idTokenInfo"] == {"status": "ConcurrentTx"}


def test_S20_a_repeated_start_is_its_own_session_and_never_concurrent() -> None:
    stage = alone()
    at = text_of(stage.now)
    answers = [stage.starts_16(timestamp=at) for _ in range(3)]
    assert answers == [{"transactionId": 1, "idTagInfo": {"status": "Accepted"}}] * 3
    assert len(stage.sessions()) == 1


def test_S20_the_next_start_at_the_same_outlet_is_not_concurrent_either() -> None:
    stage = alone()
    stage.starts_16(1000)
    assert stage.starts_16(1500, after_s=60)["idTagInfo"] == {"status": "Accepted"}


def test_S20_an_authorization_at_the_station_where_it_charges_may_be_for_the_stop() -> None:
    stage = alone()
    stage.starts_16()
    assert stage.says_16("Authorize", {"idTag": TOKEN}) == {"idTagInfo": {"status": "Accepted"}}


def test_S20_the_words_of_the_outlet_that_its_cable_is_out_free_the_token() -> None:
    stage = alone()
    stage.starts_16()
    stage.status_16("Available")
    step(stage.store.checkpoint(stage.desk.changed_sessions(), stage.now))
    assert stage.starts_16(connectorId=2)["idTagInfo"] == {"status": "Accepted"}


def test_S73_a_token_read_backwards_is_the_drivers_own() -> None:
    stage = Stage()
    stage.store.terms.add_contract(1, "C-1")
    stage.store.terms.link_token(1, TOKEN, "C-1")
    assert stage.says_16("Authorize", {"idTag": "c3:b2:a1:04"}) == {"idTagInfo": {"status": "Accepted"}}
    assert stage.starts_16(token=BACKWARDS)["idTagInfo"] == {"status": "Accepted"}
    stage.stops_16(2000, idTag=BACKWARDS)
    session = stage.settle()
    assert (session.state, session.token, session.contract_id) == (SessionState.SETTLED, TOKEN, "C-1")
    assert session.id_token is not None
    assert (session.id_token.value, session.stopped_by) == (BACKWARDS, TOKEN)


def test_S73_how_a_token_was_found_is_kept_with_the_session() -> None:
    stage = Stage()
    stage.starts_16(token=BACKWARDS)
    stage.stops_16(2000)
    session = stage.settle()
    [facts] = [d for d in stage.store.sessions[1, session.id].decisions if d.kind == "facts"]
    found = facts.body["facts"]["start"]["token"]
    assert (found["known_as"], found["found_as"]) == (TOKEN, "reversed")
    assert stage.refolded(session).token == TOKEN


@pytest.mark.parametrize(
    ("token", "kind", "reading"),
    [
        ("04A1B2C3", "", "C3B2A104"),
        ("04A1B2C3D4E5F6", "ISO14443", "F6E5D4C3B2A104"),
        ("00112233445566778899", "", "99887766554433221100"),
        ("04A1B2C3", "eMAID", None),
        ("04A1B2", "", None),
        ("04A1B2CX", "", None),
        ("AABBBBAA", "", None),
        ("", "", None),
    ],
)
def test_S73_only_the_number_of_a_card_has_another_reading(token: str, kind: str, reading: str | None) -> None:
    assert byte_reversed(token, kind) == reading
