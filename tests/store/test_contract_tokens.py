"""Does a token charge elsewhere already, and by which of its forms is it known? On dicts and on PostgreSQL."""

from typing import Any

import pytest
from msgspec.structs import replace

from laddbok.flow.store import Found, Question
from laddbok.model.events import AuthorizationStatus, IdToken, TransactionStarted
from laddbok.model.session import FramePosition, Session, SessionState
from laddbok.model.station import Station
from laddbok.sessions.authorize import TokenFacts, authorization
from laddbok.sessions.facts import Facts, Stamp, StartFacts
from laddbok.sessions.open import open_session
from tests.store.stores import ACCEPTED, Ground, commit, found, minutes

TOKEN = "04A1B2C3"
BACKWARDS = "C3B2A104"


def charging(ground: Ground, station: Station, token: str = TOKEN, at_min: float = 0, evse_id: int = 1) -> Session:
    """A session of an accepted token that runs."""
    start = TransactionStarted(
        evse_id=evse_id, connector_id=1, transaction_id=None, id_token=IdToken(token), at=minutes(at_min), register_wh=1
    )
    facts = Facts(start=StartFacts(token=TokenFacts(status=ACCEPTED)), transaction_number=1)
    session = open_session(station, start, Stamp(FramePosition(1, evse_id), minutes(at_min)), facts, None)
    commit(ground, opened=[session])
    return session


def answer(ground: Ground, station: Station, at_min: float = 1, **asked: Any) -> AuthorizationStatus:
    """What the station is told of the token, at its first outlet."""
    return authorization(asking(ground, station, at_min, **asked).facts.token, minutes(at_min))


def asking(ground: Ground, station: Station, at_min: float, **asked: Any) -> Found:
    return found(ground, station, minutes(at_min), **{"token": TOKEN, **asked})


def test_S20_a_token_of_a_single_session_is_refused_elsewhere_while_it_charges(ground: Ground) -> None:
    here, there = ground.new_station("here"), ground.new_station("there")
    ground.keeps.add_token(ground.tenant, TOKEN, single_session=True)
    assert answer(ground, there) is ACCEPTED
    session = charging(ground, here)
    assert answer(ground, there) is AuthorizationStatus.CONCURRENT_TX
    assert answer(ground, there, evse_id=None) is AuthorizationStatus.CONCURRENT_TX
    ended = replace(session, state=SessionState.ENDED, transaction_ended_at=minutes(1))
    commit(ground, moved=[ended])
    assert answer(ground, there) is ACCEPTED


def test_S20_any_other_token_may_be_in_many_sessions(ground: Ground) -> None:
    here, there = ground.new_station("here"), ground.new_station("there")
    ground.keeps.add_token(ground.tenant, TOKEN)
    ground.keeps.add_token(ground.tenant, "OTHER", single_session=True)
    charging(ground, here)
    assert answer(ground, there) is ACCEPTED
    assert answer(ground, there, token="OTHER") is ACCEPTED


def test_S20_the_outlet_itself_and_who_asks_without_an_outlet_are_never_elsewhere(ground: Ground) -> None:
    here = ground.new_station("here")
    ground.keeps.add_token(ground.tenant, TOKEN, single_session=True)
    charging(ground, here)
    assert answer(ground, here, evse_id=1) is ACCEPTED
    assert answer(ground, here, evse_id=None) is ACCEPTED
    assert answer(ground, here, evse_id=2) is AuthorizationStatus.CONCURRENT_TX


def test_S20_the_end_of_a_transaction_asks_for_no_leave(ground: Ground) -> None:
    here, there = ground.new_station("here"), ground.new_station("there")
    ground.keeps.add_token(ground.tenant, TOKEN, single_session=True)
    charging(ground, here)
    assert answer(ground, there, asks_to_charge=False) is ACCEPTED


def test_S20_what_began_later_does_not_count_against_a_start_from_an_offline_queue(ground: Ground) -> None:
    here, there = ground.new_station("here"), ground.new_station("there")
    ground.keeps.add_token(ground.tenant, TOKEN, single_session=True)
    charging(ground, here, at_min=10)
    assert answer(ground, there, at_min=9) is ACCEPTED
    assert answer(ground, there, at_min=10) is AuthorizationStatus.CONCURRENT_TX


def test_S20_a_session_whose_station_was_not_heard_for_a_day_blocks_nobody(ground: Ground) -> None:
    here, there = ground.new_station("here"), ground.new_station("there")
    ground.keeps.add_token(ground.tenant, TOKEN, single_session=True)
    charging(ground, here)
    assert answer(ground, there, at_min=24 * 60) is AuthorizationStatus.CONCURRENT_TX
    assert answer(ground, there, at_min=24 * 60 + 1) is ACCEPTED


@pytest.mark.parametrize("is_published", [False, True])
def test_S20_a_session_that_awaits_a_lost_stop_blocks_nobody(ground: Ground, is_published: bool) -> None:
    here, there = ground.new_station("here"), ground.new_station("there")
    ground.keeps.add_token(ground.tenant, TOKEN, single_session=True)
    session = charging(ground, here)
    waiting = replace(session, due_at=minutes(30), through=FramePosition(1, 2))
    if is_published:
        ground.run(ground.store.checkpoint([waiting], minutes(1)))
    else:
        commit(ground, moved=[waiting])
    assert answer(ground, there) is ACCEPTED


def test_S20_a_start_that_was_refused_itself_blocks_nobody(ground: Ground) -> None:
    here, there = ground.new_station("here"), ground.new_station("there")
    ground.keeps.add_token(ground.tenant, TOKEN, single_session=True)
    session = charging(ground, here)
    commit(ground, moved=[replace(session, authorization=AuthorizationStatus.CONCURRENT_TX)])
    assert answer(ground, there) is ACCEPTED


def test_S20_a_blocked_or_expired_token_is_told_so_first(ground: Ground) -> None:
    here, there = ground.new_station("here"), ground.new_station("there")
    ground.keeps.add_token(ground.tenant, TOKEN, AuthorizationStatus.BLOCKED, single_session=True)
    ground.keeps.add_token(ground.tenant, "OLD", valid_to=minutes(1), single_session=True)
    charging(ground, here)
    charging(ground, here, "OLD", evse_id=2)
    assert answer(ground, there) is AuthorizationStatus.BLOCKED
    assert answer(ground, there, token="OLD") is AuthorizationStatus.EXPIRED


def test_S73_a_token_is_known_by_itself_by_an_alias_and_read_backwards(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_token(ground.tenant, TOKEN)
    ground.keeps.add_contract(ground.tenant, "C-1")
    ground.keeps.link_token(ground.tenant, TOKEN, "C-1")
    ground.keeps.add_alias(ground.tenant, "KEY7", TOKEN)
    forms: list[tuple[dict[str, str], str | None, str]] = [
        ({"token": TOKEN, "reversed_token": BACKWARDS}, None, ""),
        ({"token": "KEY7"}, TOKEN, "alias"),
        ({"token": BACKWARDS, "reversed_token": TOKEN}, TOKEN, "reversed"),
    ]
    for asked, known_as, found_as in forms:
        token = asking(ground, station, 0, **asked).facts.token
        assert token is not None, asked
        assert (token.known_as, token.found_as, token.contract_id) == (known_as, found_as, "C-1")
    assert asking(ground, station, 0, token=BACKWARDS).facts.token is None


def test_S73_the_token_itself_counts_before_its_other_reading(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_token(ground.tenant, TOKEN)
    ground.keeps.add_token(ground.tenant, BACKWARDS, AuthorizationStatus.BLOCKED)
    asked = {"token": BACKWARDS, "reversed_token": TOKEN}
    assert answer(ground, station, **asked) is AuthorizationStatus.BLOCKED


def test_S20_S73_a_token_is_the_same_in_each_of_its_forms(ground: Ground) -> None:
    here, there = ground.new_station("here"), ground.new_station("there")
    ground.keeps.add_token(ground.tenant, TOKEN, single_session=True)
    charging(ground, here)
    asked = {"token": BACKWARDS, "reversed_token": TOKEN}
    assert answer(ground, there, **asked) is AuthorizationStatus.CONCURRENT_TX


def test_S73_an_alias_of_another_tenant_is_none(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_token(ground.tenant, TOKEN)
    ground.keeps.add_alias(ground.tenant, "KEY7", TOKEN)
    question = Question(tenant=ground.tenant + 1, station_no=station.station_no, evse_id=1, token="KEY7", at=minutes(0))
    [nobody] = ground.run(ground.store.look_up([question]))
    assert nobody.facts.token is None
