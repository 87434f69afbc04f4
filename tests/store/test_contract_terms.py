"""Do both stores tell the terms of an instant alike? Token, contract, tariff, seller and outlet, on dicts and on PostgreSQL."""

import json
from datetime import timedelta

import pytest

from laddbok.flow.store import Question
from laddbok.model.events import AuthorizationStatus
from laddbok.model.session import TariffChoice
from tests.store.stores import Ground, found, minutes, tariff_document


def test_a_token_is_told_as_stored_and_an_unknown_one_not(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_token(ground.tenant, "04A1", AuthorizationStatus.BLOCKED, minutes(60))
    token = found(ground, station, minutes(0)).facts.token
    assert token is not None and (token.status, token.valid_to) == (AuthorizationStatus.BLOCKED, minutes(60))
    assert found(ground, station, minutes(0), token="04A2").facts.token is None
    assert found(ground, station, minutes(0), token=None).facts.token is None
    assert found(ground, station, minutes(0), tenant=ground.tenant + 1).facts.token is None


@pytest.mark.parametrize(
    ("at_min", "contract_id"), [(-1, None), (0, "old"), (29, "old"), (30, "new"), (59, "new"), (60, None)]
)
def test_the_contract_is_the_one_of_that_instant(ground: Ground, at_min: int, contract_id: str | None) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_token(ground.tenant, "04A1")
    ground.keeps.add_contract(ground.tenant, "old", minutes(0))
    ground.keeps.add_contract(ground.tenant, "new", minutes(0), minutes(60))
    ground.keeps.link_token(ground.tenant, "04A1", "old", minutes(-60), minutes(30))
    ground.keeps.link_token(ground.tenant, "04A1", "new", minutes(30))
    token = found(ground, station, minutes(at_min)).facts.token
    assert token is not None and token.contract_id == contract_id


def test_of_two_links_at_once_the_later_counts(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_token(ground.tenant, "04A1")
    for contract_id, since in (("first", minutes(-10)), ("second", minutes(-5))):
        ground.keeps.add_contract(ground.tenant, contract_id)
        ground.keeps.link_token(ground.tenant, "04A1", contract_id, since)
    token = found(ground, station, minutes(0)).facts.token
    assert token is not None and token.contract_id == "second"


def test_the_tariff_comes_from_contract_then_station_then_site_then_default(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_token(ground.tenant, "04A1")
    ground.keeps.add_contract(ground.tenant, "C-1")
    ground.keeps.link_token(ground.tenant, "04A1", "C-1")
    assert found(ground, station, minutes(0)).facts.tariff is None
    scopes = {"default": "", "site": "yard", "station": station.identity, "contract": "C-1"}
    for scope, scope_id in scopes.items():
        ground.keeps.add_tariff(ground.tenant, tariff_document(f"T-{scope}"))
        ground.keeps.assign_tariff(ground.tenant, scope, scope_id, f"T-{scope}")
        assert found(ground, station, minutes(0)).facts.tariff == TariffChoice(f"T-{scope}", 1, scope)
    assert found(ground, station, minutes(0), token=None).facts.tariff == TariffChoice("T-station", 1, "station")


def test_the_tariff_version_is_that_of_the_instant(ground: Ground) -> None:
    station = ground.new_station("CP")
    until_unplug = {"idle": {"per_min": "1.00", "until": "unplug"}}
    ground.keeps.add_tariff(ground.tenant, tariff_document("T"), minutes(0))
    ground.keeps.add_tariff(ground.tenant, tariff_document("T", "4.00", **until_unplug), minutes(30))
    ground.keeps.assign_tariff(ground.tenant, "default", "", "T")
    facts = [found(ground, station, minutes(at_min)).facts for at_min in (-1, 0, 29, 30)]
    choices = [None, TariffChoice("T", 1), TariffChoice("T", 1), TariffChoice("T", 2)]
    assert [each.tariff for each in facts] == choices
    assert [each.waits_for_unplug for each in facts] == [False, False, False, True]


def test_B9_a_session_has_the_version_of_the_very_instant_it_starts(ground: Ground) -> None:
    """The second version begins at 12:15:00.000: a session from then on has it, one from before does not."""
    station = ground.new_station("CP")
    ground.keeps.add_tariff(ground.tenant, tariff_document("T"), minutes(-60))
    ground.keeps.add_tariff(ground.tenant, tariff_document("T", "4.00"), minutes(15))
    ground.keeps.assign_tariff(ground.tenant, "default", "", "T")
    instants = (minutes(0), minutes(15) - timedelta(milliseconds=1), minutes(15))
    assert [found(ground, station, at).facts.tariff for at in instants] == [
        TariffChoice("T", 1),
        TariffChoice("T", 1),
        TariffChoice("T", 2),
    ]


def test_B44_the_payer_is_the_contract_of_the_instant(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_token(ground.tenant, "04A1")
    for contract_id, since, until in (("old", minutes(-60), minutes(30)), ("new", minutes(30), None)):
        ground.keeps.add_contract(ground.tenant, contract_id)
        ground.keeps.link_token(ground.tenant, "04A1", contract_id, since, until)
    instants = (minutes(0), minutes(30) - timedelta(milliseconds=1), minutes(30))
    tokens = [found(ground, station, at).facts.token for at in instants]
    assert [token and token.contract_id for token in tokens] == ["old", "old", "new"]


def test_a_later_assignment_replaces_the_earlier_from_its_instant(ground: Ground) -> None:
    station = ground.new_station("CP")
    for tariff_id, since in (("A", minutes(0)), ("B", minutes(30))):
        ground.keeps.add_tariff(ground.tenant, tariff_document(tariff_id))
        ground.keeps.assign_tariff(ground.tenant, "site", "yard", tariff_id, since)
    facts = [found(ground, station, minutes(at_min)).facts.tariff for at_min in (-1, 29, 30)]
    assert facts == [None, TariffChoice("A", 1, "site"), TariffChoice("B", 1, "site")]


def ending(tariff_id: str, at_min: float) -> bytes:
    """A tariff document that ends then, written without a zone as OCPI allows."""
    ends = {"end_date_time": f"{minutes(at_min):%Y-%m-%dT%H:%M:%S}"}
    return json.dumps(json.loads(tariff_document(tariff_id)) | ends).encode()


def test_a_tariff_that_has_ended_leaves_the_next_scope_or_none(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_tariff(ground.tenant, ending("T-site", 30))
    ground.keeps.add_tariff(ground.tenant, ending("T-default", 60))
    ground.keeps.assign_tariff(ground.tenant, "site", "yard", "T-site")
    ground.keeps.assign_tariff(ground.tenant, "default", "", "T-default")
    facts = [found(ground, station, minutes(at_min)).facts.tariff for at_min in (29, 30, 59, 60)]
    site, default = TariffChoice("T-site", 1, "site"), TariffChoice("T-default", 1)
    assert facts == [site, default, default, None]


def test_what_an_ended_tariff_had_replaced_does_not_come_back(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_tariff(ground.tenant, tariff_document("T"), minutes(-60))
    ground.keeps.add_tariff(ground.tenant, ending("T", 30), minutes(0))
    ground.keeps.add_tariff(ground.tenant, tariff_document("T"), minutes(90))
    ground.keeps.add_tariff(ground.tenant, tariff_document("older"))
    ground.keeps.assign_tariff(ground.tenant, "site", "yard", "older", minutes(-60))
    ground.keeps.assign_tariff(ground.tenant, "site", "yard", "T", minutes(-30))
    facts = [found(ground, station, minutes(at_min)).facts.tariff for at_min in (-31, -1, 29, 30, 90)]
    of_site = [("older", 1), ("T", 1), ("T", 2), None, ("T", 3)]
    assert facts == [each and TariffChoice(*each, "site") for each in of_site]


def test_the_seller_of_the_instant_and_the_power_of_the_outlet(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_evse(station.station_no, 1, 22_000)
    ground.keeps.assign_seller(ground.tenant, "yard", "old AB", minutes(0), minutes(30))
    ground.keeps.assign_seller(ground.tenant, "yard", "new AB", minutes(30))
    sellers = [found(ground, station, minutes(at_min)).facts.seller_id for at_min in (-1, 0, 30)]
    assert sellers == [None, "old AB", "new AB"]
    assert found(ground, station, minutes(0)).facts.max_power_w == 22_000
    assert found(ground, station, minutes(0), evse_id=2).facts.max_power_w is None


def test_answers_come_in_the_order_of_the_questions(ground: Ground) -> None:
    station = ground.new_station("CP")
    ground.keeps.add_token(ground.tenant, "04A1")
    tokens = ["04A1", None, "04A2", "04A1"]
    asked = [
        Question(tenant=ground.tenant, station_no=station.station_no, evse_id=1, token=token, at=minutes(0))
        for token in tokens
    ]
    answers = ground.run(ground.store.look_up(asked))
    assert [answer.facts.token is not None for answer in answers] == [True, False, False, True]
