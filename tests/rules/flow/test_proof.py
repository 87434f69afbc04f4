"""Is a proof taken over exactly what a CDR was made of, and over nothing of anybody else's?"""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.flow.charge_to_cash import RULES_VERSION, price
from laddbok.flow.evidence import conclude
from laddbok.flow.evidence_file import write
from laddbok.flow.market_prices import recorded_prices
from laddbok.flow.proof import Items, as_proven, canonical, items_of, leaf, root_of, signed_readings
from laddbok.flow.recheck import recheck
from laddbok.flow.store import SessionEvidence
from laddbok.model.proof import Proof
from laddbok.model.session import Session
from laddbok.model.tariff import parse_tariff
from laddbok.model.traits import EvsePhases
from laddbok.sessions.close import cdr
from laddbok.wires.ocmf import check_reading
from tests.rules.sessions.stage import OTHER_TOKEN, TOKEN, Stage, step
from tests.rules.sessions.test_ask import answers


def a_plain_charge() -> Stage:
    stage = Stage()
    stage.boots_16()
    stage.starts_16(1000)
    stage.reads_16(3000)
    stage.status_16("Charging", connector_id=2)
    stage.stops_16(5000)
    return stage


def a_charge_that_gave_way() -> Stage:
    """The first driver's stop is lost; another driver starts on the same outlet."""
    stage = Stage()
    stage.starts_16(1000)
    stage.reads_16(3000)
    stage.starts_16(3000, OTHER_TOKEN)
    stage.reads_16(4000, 2)
    stage.stops_16(9000, 2)
    return stage


def a_charge_of_201() -> Stage:
    stage = Stage("2.0.1")
    stage.event_201("Started", register_wh=1000, state="Charging", token=TOKEN)
    stage.event_201("Updated", register_wh=3000, state="SuspendedEV")
    stage.event_201("Updated", register_wh=3000, state="Charging")
    stage.event_201("Ended", register_wh=4000)
    return stage


def a_charge_of_201_that_gave_way() -> Stage:
    stage = Stage("2.0.1")
    stage.event_201("Started", register_wh=1000, state="Charging", token=TOKEN)
    stage.event_201("Updated", register_wh=3000)
    stage.event_201("Started", register_wh=3000, state="Charging", token=OTHER_TOKEN, transaction_id="tx-2")
    stage.event_201("Ended", register_wh=9000, transaction_id="tx-2")
    return stage


def a_charge_closed_softly() -> Stage:
    stage = Stage()
    stage.starts_16(1000)
    stage.reads_16(3000)
    stage.status_16("Available")
    stage.waits(hours=1)
    return stage


def two_charges_side_by_side() -> Stage:
    stage = Stage()
    stage.starts_16(1000)
    stage.starts_16(7000, OTHER_TOKEN, connectorId=2)
    stage.reads_16(3000)
    stage.reads_16(9000, 2, connectorId=2)
    stage.stops_16(9500, 2)
    stage.stops_16(5000)
    return stage


def a_charge_that_was_asked_about() -> Stage:
    """The station came back, was silent about what ran, and told when we asked: question and answer are evidence."""
    stage = Stage("2.0.1")
    stage.event_201("Started", register_wh=1000, state="Charging", token=TOKEN)
    stage.event_201("Updated", register_wh=3000)
    stage.now += timedelta(hours=1)
    stage.connect()
    stage.status_201("Occupied")
    answers(stage, ongoingIndicator=False, messagesInQueue=False)
    stage.apply(stage.desk.lost_sessions(stage.now))
    return stage


STORIES = [
    a_plain_charge, a_charge_that_gave_way, a_charge_of_201, a_charge_of_201_that_gave_way, a_charge_closed_softly,
    two_charges_side_by_side, a_charge_that_was_asked_about,
]  # fmt: skip
stories = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)


def evidence_of(stage: Stage, session_id: str) -> SessionEvidence:
    return step(stage.store.session_evidence(1, session_id))


def settled(stage: Stage) -> list[tuple[SessionEvidence, Proof]]:
    stage.work()
    issued = [each for each in stage.store.cdrs.values() if each.kind == "cdr"]
    assert issued and all(each.proof for each in issued)
    return [(evidence_of(stage, each.session.id), each.proof) for each in issued if each.proof]


def made_again(evidence: SessionEvidence, proof: Proof, revision: int = 1) -> tuple[Session, Items]:
    used = as_proven(evidence, proof, revision)
    conclusion = conclude(used)
    document, tariff = cdr(conclusion.session), used.tariff_of(conclusion.session)
    assert tariff is not None
    rating = price(document, tariff, recorded_prices(used.decisions))
    return conclusion.session, items_of(used, conclusion, document, rating, RULES_VERSION)


def root_over(items: Items) -> str:
    return root_of([leaf(kind, item) for kind, item in items.in_order()]).hex()


@stories
def test_the_frames_that_bear_on_a_session_give_the_session(story: Any) -> None:
    for evidence, proof in settled(story()):
        used = as_proven(evidence, proof, 1)
        assert len(used.frames) < len(evidence.frames) or len(evidence.frames) == len(proof.frames)
        assert conclude(used).session == conclude(evidence).session
        assert root_over(made_again(evidence, proof)[1]) == proof.root


@stories
def test_another_drivers_data_are_no_part_of_it(story: Any) -> None:
    for evidence, proof in settled(story()):
        session, items = made_again(evidence, proof)
        whole = b"".join(canonical(item) for _, item in items.in_order())
        whole += b"".join(msgspec.convert(each["raw"], bytes) for each in items.frames)
        assert session.token is not None
        for token in {TOKEN, OTHER_TOKEN} - {session.token}:
            assert token.encode() not in whole


def test_a_question_of_ours_and_its_answer_are_in_it() -> None:
    [(evidence, proof)] = settled(a_charge_that_was_asked_about())
    _, items = made_again(evidence, proof)
    assert [each["direction"] for each in items.frames][-2:] == ["our_call", "result"]


def test_what_is_withheld_of_the_next_start_changes_nothing() -> None:
    stage = a_charge_that_gave_way()
    evidence, proof = settled(stage)[0]
    session, items = made_again(evidence, proof)
    withheld = [each for each in items.frames if each.get("withheld")]
    assert [json.loads(msgspec.convert(each["raw"], bytes))[3]["idTag"] for each in withheld] == ["withheld"]
    frames = tuple(
        msgspec.structs.replace(frame, raw=msgspec.convert(item["raw"], bytes))
        for frame, item in zip(as_proven(evidence, proof, 1).frames, items.frames, strict=True)
    )
    assert conclude(msgspec.structs.replace(as_proven(evidence, proof, 1), frames=frames)).session == session


def test_of_the_session_before_only_the_register_is_told() -> None:
    stage = a_plain_charge()
    stage.work()
    first = stage.session()
    stage.starts_16(5000, OTHER_TOKEN)
    stage.stops_16(7000, 2)
    evidence, proof = settled(stage)[1]
    session, items = made_again(evidence, proof)
    assert session.before is not None and session.before.session_id == first.id
    whole = b"".join(canonical(item) for _, item in items.in_order()).decode()
    assert items.session["before"]["register_wh"] == 5000
    assert first.id not in whole and TOKEN not in whole


def test_what_comes_later_does_not_change_a_proof() -> None:
    stage = a_plain_charge()
    [(_, before)] = settled(stage)
    session = stage.session()
    stage.reads_16(9000)
    stage.status_16("Available")
    stage.stops_16(9999)
    [(evidence, proof)] = settled(stage)
    assert evidence_of(stage, session.id).session.unplugged_at is not None
    assert proof == before
    assert root_over(made_again(evidence, proof)[1]) == proof.root


def test_each_revision_has_its_own_proof() -> None:
    stage = Stage()
    stage.starts_16(1000)
    stage.reads_16(3000)
    stage.status_16("Available")
    stage.waits(hours=1)
    stage.work()
    stage.stops_16(3500, timestamp="2026-03-02T12:11:00Z")
    stage.work()
    session = stage.session()
    assert session.revision == 2
    for revision in (1, 2):
        proof = stage.store.cdrs[1, session.id, revision, "cdr"].proof
        assert proof is not None
        again, items = made_again(evidence_of(stage, session.id), proof, revision)
        assert root_over(items) == proof.root
        assert again.energy_wh == {1: 2000, 2: 2500}[revision]


def test_a_station_whose_phases_are_known_has_its_proof() -> None:
    stage = Stage()
    station = stage.store.stations[1]
    station.traits = replace(station.traits, version=1, phases=(EvsePhases(1, (1, 2, 3)),))
    stage.connect()
    stage.starts_16(1000)
    stage.stops_16(5000)
    [(evidence, proof)] = settled(stage)
    session, items = made_again(evidence, proof)
    assert session.traits.phases == (EvsePhases(1, (1, 2, 3)),)
    assert recheck(write(items, [], None), check_reading).differences == ()


def test_numbers_with_a_fraction_stay_exact_and_are_texts() -> None:
    tariff = b'{"id": "T", "currency": "SEK", "elements": [{"price_components": [{"type": "ENERGY", "price": 3.20, "vat": 25}]}]}'
    stage = Stage(tariff=tariff)
    stage.starts_16(1000)
    stage.stops_16(5000)
    [(evidence, proof)] = settled(stage)
    _, items = made_again(evidence, proof)
    assert items.tariff is not None
    component = items.tariff["document"]["elements"][0]["price_components"][0]
    assert (component["price"], component["vat"]) == ("3.20", 25)
    assert parse_tariff(items.tariff["document"]) == evidence.tariffs["T", 1]


def test_signed_readings_are_found_in_both_protocols() -> None:
    text = 'OCMF|{"RD":[{"TX":"E","RV":5,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}]}|{"SD":"00"}'
    stage = Stage()
    stage.starts_16(1000)
    at = "2026-03-02T12:05:00Z"
    signed = {"value": text, "format": "SignedData", "context": "Transaction.End"}
    stage.stops_16(5000, transactionData=[{"timestamp": at, "sampledValue": [{"value": "5000"}, signed]}])
    [found] = signed_readings(conclude(evidence_of(stage, stage.session().id)).bearing)
    assert (found.text, found.signed, found.public_key, found.register_wh) == (text, text, None, 5000)
    stage = Stage("2.0.1")
    stage.event_201("Started", register_wh=1000, state="Charging", token=TOKEN)
    signed_201 = {"signedMeterData": text, "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "MFkw"}
    value = {"value": 5000, "context": "Transaction.End", "signedMeterValue": signed_201}
    stage.event_201("Ended", meterValue=[{"timestamp": at, "sampledValue": [value]}])
    [found] = signed_readings(conclude(evidence_of(stage, stage.session().id)).bearing)
    assert (found.text, found.public_key, found.register_wh, found.seq) == (text, "MFkw", 5000, 2)


def rfc_9162(leaves: list[bytes]) -> bytes:
    """MTH as the RFC writes it, by halves."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + rfc_9162(leaves[:half]) + rfc_9162(leaves[half:])).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70))
def test_the_root_is_that_of_the_rfc(leaves: list[bytes]) -> None:
    assert root_of(leaves) == rfc_9162(leaves)


def test_canonical_is_that_of_the_rfc() -> None:
    value = {"b": 'å"\\/\b\f\n\r\t\x01\x1f\x7f', "a": [1, True, None, -3]}
    assert canonical(value) == ('{"a":[1,true,null,-3],"b":"å\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"}').encode()
