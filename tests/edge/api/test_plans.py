"""Can a contract choose among the plans that it is offered, and agree on who pays, from now on and by whom?"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from laddbok.flow.store import Question
from laddbok.model.session import TariffChoice
from laddbok.store.postgres import PostgresStore
from tests.edge.api.conftest import NOW, RunningApi

OPERATOR = "operator-key-0123456789abcdef"
NAMES = {
    "name": {"sv": "Fast pris", "en": "Fixed price"},
    "about": {"sv": "För den som vill veta.", "en": "No surprises."},
}


def tariff(name: str, **more: Any) -> dict[str, Any]:
    components = [{"type": "ENERGY", "price": 3, "vat": 25}]
    return {"id": name, "currency": "SEK", "elements": [{"price_components": components}], **more}


@pytest.fixture(scope="module")
def offered(house: RunningApi) -> RunningApi:
    """A contract that is offered two of three tariffs; the house's default is the third."""
    for name in ("base", "fixed", "night", "later"):
        more = {"start_date_time": "2027-01-01T00:00:00Z"} if name == "later" else {}
        house.client.post("/tariffs", json=tariff(name, **more)).raise_for_status()
    house.client.put("/payers/work", json={"name": "Work"}).raise_for_status()
    for contract in ("k", "j"):
        house.client.post("/contracts", json={"id": contract, "name": contract}).raise_for_status()
    for name in ("fixed", "night", "later"):
        house.client.put(f"/contracts/k/plans/{name}", json=NAMES).raise_for_status()
    house.sql(
        "INSERT INTO api_key (tenant, id, digest, role, created_at) "
        "VALUES (1, 'desk', sha256($1::text::bytea), 'operator', now())", OPERATOR,
    )  # fmt: skip
    return house


def plans(api: RunningApi, contract: str = "k") -> dict[str, Any]:
    found: dict[str, Any] = api.client.get(f"/contracts/{contract}/plans").json()
    return found


def as_operator(api: RunningApi, method: str, path: str, **more: Any) -> Any:
    return api.client.request(method, path, headers={"Authorization": f"Bearer {OPERATOR}"}, **more)


def test_what_is_offered_is_listed_with_nothing_chosen(offered: RunningApi) -> None:
    found = plans(offered)
    assert (found["contract_id"], found["choice"]) == ("k", None)
    assert [(item["tariff_id"], item["currency"], item["is_chosen"]) for item in found["items"]] == [
        ("fixed", "SEK", False), ("later", None, False), ("night", "SEK", False),
    ]  # fmt: skip
    assert found["items"][0]["name"] == NAMES["name"]
    assert found["items"][0]["offered_at"] == "2026-03-01T12:00:00Z"
    assert plans(offered, "j")["items"] == []


def test_B44_the_choice_holds_for_sessions_that_begin_from_now_on(offered: RunningApi) -> None:
    offered.clock.at = NOW + timedelta(hours=1)
    chosen = as_operator(offered, "PUT", "/contracts/k/plan", json={"tariff_id": "night"})
    assert chosen.status_code == 200, chosen.text
    assert chosen.json()["choice"] == {"tariff_id": "night", "since": "2026-03-01T13:00:00Z", "by": "key desk"}
    assert [item["is_chosen"] for item in chosen.json()["items"]] == [False, False, True]
    offered.clock.at = NOW + timedelta(hours=2)
    again = as_operator(offered, "PUT", "/contracts/k/plan", json={"tariff_id": "night"})
    assert again.json()["choice"]["since"] == "2026-03-01T13:00:00Z"  # to choose what one has changes nothing
    as_operator(offered, "PUT", "/contracts/k/plan", json={"tariff_id": "fixed"})
    rows = offered.sql(
        "SELECT tariff_id, valid_from, chosen_by FROM tariff_assignment WHERE scope_id = 'k' ORDER BY valid_from"
    )
    assert [tuple(row) for row in rows] == [
        ("night", NOW + timedelta(hours=1), "key desk"),
        ("fixed", NOW + timedelta(hours=2), "key desk"),
    ]


def tariff_of_a_start(api: RunningApi, at: datetime) -> str | None:
    """Which tariff a session has that Anna begins at LB-1, as the gateway looks it up."""

    async def look_up() -> TariffChoice | None:
        async with asyncpg.create_pool(**api.dsn, min_size=1, max_size=1) as pool:
            question = Question(tenant=1, station_no=1, evse_id=1, token="ANNA", at=at)
            [found] = await PostgresStore(pool).look_up([question])
            return found.facts.tariff

    choice = asyncio.run(look_up())
    return choice and choice.tariff_id


def test_B44_a_session_has_the_plan_that_was_chosen_when_it_began(offered: RunningApi) -> None:
    offered.client.post("/contracts", json={"id": "anna", "name": "Anna"}).raise_for_status()
    offered.client.put("/id-tokens/anna", json={"status": "Accepted", "contract_id": "anna"}).raise_for_status()
    for name in ("fixed", "night"):
        offered.client.put(f"/contracts/anna/plans/{name}", json=NAMES).raise_for_status()
    for hours, name in ((1, "night"), (2, "fixed")):
        offered.clock.at = NOW + timedelta(hours=hours)
        offered.client.put("/contracts/anna/plan", json={"tariff_id": name}).raise_for_status()
    starts = [NOW + timedelta(minutes=minutes) for minutes in (59, 60, 119, 120)]
    assert [tariff_of_a_start(offered, at) for at in starts] == ["base", "night", "night", "fixed"]


def test_only_what_is_offered_and_has_a_price_can_be_chosen(offered: RunningApi) -> None:
    for contract, name in (("k", "base"), ("k", "none"), ("j", "fixed"), ("k", "later")):
        answer = offered.client.put(f"/contracts/{contract}/plan", json={"tariff_id": name})
        assert (answer.status_code, answer.json()["field"]) == (422, "tariff_id"), (contract, name)
    for method, path, body in (
        ("GET", "/contracts/none/plans", None),
        ("PUT", "/contracts/none/plan", {"tariff_id": "fixed"}),
        ("PUT", "/contracts/none/plans/fixed", NAMES),
        ("DELETE", "/contracts/none/plans/fixed", None),
        ("DELETE", "/contracts/k/plans/base", None),
        ("GET", "/contracts/none/agreement", None),
        ("PUT", "/contracts/none/agreement", {"agreement": None}),
    ):
        assert offered.client.request(method, path, json=body).status_code == 404, path
    answer = offered.client.put("/contracts/k/plans/none", json=NAMES)
    assert (answer.status_code, answer.json()["field"]) == (422, "tariff_id")
    answer = offered.client.put("/contracts/k/plans/fixed", json={"name": {"sv": "x"}, "about": NAMES["about"]})
    assert (answer.status_code, answer.json()["field"]) == (422, "name")


def test_a_withdrawn_plan_can_not_be_chosen_and_who_has_it_keeps_it(offered: RunningApi) -> None:
    offered.client.put("/contracts/j/plans/fixed", json=NAMES).raise_for_status()
    offered.client.put("/contracts/j/plan", json={"tariff_id": "fixed"}).raise_for_status()
    answer = offered.client.delete("/contracts/j/plans/fixed").json()
    assert (answer["items"], answer["choice"]["tariff_id"]) == ([], "fixed")
    assert offered.client.put("/contracts/j/plan", json={"tariff_id": "fixed"}).status_code == 422
    assert offered.client.delete("/contracts/j/plans/fixed").status_code == 404
    offered.clock.at = NOW + timedelta(days=1)
    again = offered.client.put("/contracts/j/plans/fixed", json=NAMES).json()
    assert again["items"][0]["offered_at"] == "2026-03-02T12:00:00Z"


def test_an_administrator_offers_and_an_operator_chooses(offered: RunningApi) -> None:
    for method in ("PUT", "DELETE"):
        assert as_operator(offered, method, "/contracts/k/plans/fixed", json=NAMES).status_code == 403


def test_what_is_assigned_later_was_chosen_by_nobody(offered: RunningApi) -> None:
    offered.client.post("/contracts", json={"id": "m", "name": "M"}).raise_for_status()
    offered.client.put("/contracts/m/plans/night", json=NAMES).raise_for_status()
    offered.client.put("/contracts/m/plan", json={"tariff_id": "night"}).raise_for_status()
    assignment = {"scope": "contract", "scope_id": "m", "tariff_id": "base"}
    offered.client.put("/tariff-assignments", json=assignment).raise_for_status()
    found = plans(offered, "m")
    assert (found["choice"]["tariff_id"], found["choice"]["by"]) == ("base", None)


def test_a_contract_is_offered_a_bounded_number_of_plans(offered: RunningApi) -> None:
    offered.client.post("/contracts", json={"id": "many", "name": "Many"}).raise_for_status()
    offered.sql(
        "INSERT INTO tariff (tenant, id, created_at) SELECT 1, 'many-' || n, now() FROM generate_series(1, 51) AS n"
    )
    for number in range(1, 51):
        offered.client.put(f"/contracts/many/plans/many-{number}", json=NAMES).raise_for_status()
    assert offered.client.put("/contracts/many/plans/many-51", json=NAMES).status_code == 409
    assert offered.client.put("/contracts/many/plans/many-50", json=NAMES).status_code == 200


def test_an_agreement_is_written_read_and_ended_from_now_on(offered: RunningApi) -> None:
    path = "/contracts/k/agreement"
    nobody = {"contract_id": "k", "agreement": None, "valid_from": None, "agreed_by": None}
    assert offered.client.get(path).json() == nobody
    shares = {"shares": [{"payer_id": "work", "kinds": ["energy"], "part": "60", "up_to_per_month": "900.00"}]}
    answer = as_operator(offered, "PUT", path, json={"agreement": shares})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "contract_id": "k", "agreement": shares, "valid_from": "2026-03-01T12:00:00Z", "agreed_by": "key desk",
    }  # fmt: skip
    exact = '{"agreement": {"shares": [{"payer_id": "work", "part": 33.333333333333333333}]}}'
    offered.clock.at = NOW + timedelta(hours=1)
    answer = offered.client.put(path, content=exact, headers={"Content-Type": "application/json"})
    assert answer.json()["agreement"]["shares"][0]["part"] == "33.333333333333333333"
    offered.clock.at = NOW + timedelta(days=1)
    assert offered.client.put(path, json={"agreement": None}).json()["agreement"] is None
    assert offered.client.get(path).json()["valid_from"] == "2026-03-02T12:00:00Z"
    rows = offered.sql("SELECT document IS NULL AS ended FROM payers_agreement ORDER BY valid_from")
    assert [row["ended"] for row in rows] == [False, False, True]


@pytest.mark.parametrize(
    ("agreement", "field"),
    [
        ({"shares": [{"payer_id": "nobody"}]}, "agreement"),
        ({"shares": [{"payer_id": "work"}], "rest": "nobody"}, "agreement"),
        ({"shares": [{"payer_id": "work", "part": 200}]}, "shares[0].part"),
        ({"shares": [{"payer_id": "work", "part": 12.5, "of": 10}]}, "shares[0].part"),
        ([], "agreement"),
        ("work", "agreement"),
        ({"shares": []}, "shares"),
        ({"shares": [{"payer_id": "work", "colour": 1}]}, "shares[0]"),
    ],
)
def test_an_agreement_that_can_not_hold_is_refused(offered: RunningApi, agreement: Any, field: str) -> None:
    answer = offered.client.put("/contracts/j/agreement", json={"agreement": agreement})
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
