"""Does a person see what waits for them, how its energy was found, and what is known of its station?"""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from laddbok.model.energy import Confidence, EnergyFinding, Estimate, Method
from laddbok.model.session import LastRegister, MeterNote, ReviewReason, Session, SessionState
from laddbok.model.traits import EvsePhases, RegisterKind, Sighting, Traits
from tests.edge.api.charges import BEGIN_WH, TARIFF, running, store
from tests.edge.api.conftest import NOW, RunningApi
from tests.edge.api.real_station import charge, settle

HOUR = timedelta(hours=1)
DISAGREE = ReviewReason.ESTIMATES_DISAGREE
replace = msgspec.structs.replace


@pytest.fixture(scope="module")
def desk(house: RunningApi) -> RunningApi:
    """Three sessions in review on two sites, and one that is settled and says a gap."""
    house.client.put("/sites/hamnen", json={"name": "Hamnen", "time_zone": "Europe/Stockholm", "seller_id": "ab"})
    assert house.client.post("/tariffs", json=TARIFF).status_code == 201
    for session in (
        doubtful(),
        held(2, 20, ReviewReason.UNKNOWN_TOKEN),
        elsewhere(),
        with_gap(4, 40, -300),
        with_gap(5, 50, 0),
    ):
        store(house, session)
    return house


def held(number: int, hours_ago: int, *reasons: ReviewReason) -> Session:
    session = running(number, started_at=NOW - hours_ago * HOUR)
    ended_at = session.started_at + HOUR
    return replace(
        session, state=SessionState.REVIEW, version=3, transaction_ended_at=ended_at, charging_ended_at=ended_at,
        review_reasons=reasons,
    )  # fmt: skip


def doubtful() -> Session:
    """Its registers say 5 kWh, its readings 7.5: one had to be explained."""
    session = held(1, 10, ReviewReason.UNKNOWN_TOKEN, DISAGREE)
    estimates = (
        Estimate(Method.REGISTERS, 7_500, 3600),
        Estimate(Method.SAMPLED, 5_000, 3000),
        Estimate(Method.POWER, 7_400, 3600),
    )
    finding = EnergyFinding(
        energy_wh=7_500,
        method=Method.REGISTERS,
        confidence=Confidence.LOW,
        estimates=estimates,
        bound_wh=12_000,
        gap_wh=0,
    )
    meter = replace(session.meter, carried_wh=2_500, notes=(MeterNote.RESET,))
    return replace(session, energy=finding, meter=meter)


def elsewhere() -> Session:
    return replace(held(3, 30, DISAGREE), site_id="hamnen")


def with_gap(number: int, hours_ago: int, gap_wh: int) -> Session:
    finding = EnergyFinding(energy_wh=5_000, method=Method.REGISTERS, confidence=Confidence.FAIR, gap_wh=gap_wh)
    before = LastRegister("BEFORE", BEGIN_WH - gap_wh, NOW - (hours_ago + 1) * HOUR)
    return replace(held(number, hours_ago), state=SessionState.SETTLED, energy=finding, before=before)


def review(desk: RunningApi, **filters: Any) -> dict[str, Any]:
    shown: dict[str, Any] = desk.client.get("/review", params=filters).raise_for_status().json()
    return shown


def test_the_oldest_comes_first_with_reasons_and_counts(desk: RunningApi) -> None:
    shown = review(desk)
    assert [item["reasons"] for item in shown["items"]] == [
        ["estimates_disagree"], ["unknown_token"], ["unknown_token", "estimates_disagree"],
    ]  # fmt: skip
    assert (shown["total"], shown["next"]) == (3, None)
    assert shown["counts"] == [
        {"reason": "estimates_disagree", "sessions": 2},
        {"reason": "unknown_token", "sessions": 2},
    ]


def test_an_item_says_what_would_be_billed_and_how_sure_that_is(desk: RunningApi) -> None:
    item = review(desk)["items"][-1]
    assert {name: item[name] for name in ("session_id", "version", "station_id", "id_token", "age_s", "decided_by")} == {
        "session_id": doubtful().id, "version": 3, "station_id": "LB-1", "id_token": "04A2FF", "age_s": 9 * 3600,
        "decided_by": None,
    }  # fmt: skip
    assert item["energy"] == {
        "energy_wh": 7500, "method": "registers", "confidence": "low", "bound_wh": 12_000, "gap_wh": 0, "notes": ["reset"],
        "begin_wh": BEGIN_WH, "end_wh": BEGIN_WH + 5_000, "carried_wh": 2_500,
        "estimates": [
            {"method": "registers", "energy_wh": 7500, "covered_s": 3600},
            {"method": "sampled", "energy_wh": 5000, "covered_s": 3000},
            {"method": "power", "energy_wh": 7400, "covered_s": 3600},
        ],
    }  # fmt: skip
    assert (item["proposal"]["energy_wh"], item["proposal"]["tariff"]) == (7_500, {"id": "plain", "version": 1})


def test_what_nobody_believes_is_no_proposal_though_a_register_was_followed(desk: RunningApi) -> None:
    finding = EnergyFinding(energy_wh=None, method=None, confidence=Confidence.LOW, bound_wh=12_000)
    session = replace(held(6, 60, ReviewReason.MORE_THAN_THE_OUTLET_CAN), energy=finding, site_id="torget")
    store(desk, session)
    try:
        [item] = review(desk, reason="more_than_the_outlet_can")["items"]
        proposal = item["proposal"]
        assert (proposal["energy_wh"], proposal["price"], proposal["price_missing_reason"]) == (
            None,
            None,
            "no_meter_reading",
        )
        body = {"kind": "accept", "reason": "looks right", "version": session.version}
        refused = desk.client.post(f"/sessions/{session.id}/decisions", json=body)
        assert (refused.status_code, refused.json()["field"]) == (422, "energy_wh")
    finally:
        desk.sql("DELETE FROM session_range WHERE session_id = $1", session.id)
        desk.sql("DELETE FROM session WHERE id = $1", session.id)


def test_the_energy_of_a_held_session_counts_what_was_carried_over_a_reset(desk: RunningApi) -> None:
    shown = desk.client.get(f"/sessions/{doubtful().id}").json()
    assert (shown["energy_wh"], shown["version"], shown["energy"]["method"]) == (7_500, 3, "registers")


def test_reasons_and_sites_narrow_the_list_and_the_counts_are_of_the_site(desk: RunningApi) -> None:
    assert len(review(desk, reason="unknown_token")["items"]) == 2
    assert review(desk, reason="unknown_token")["total"] == 3
    there = review(desk, site_id="hamnen")
    assert ([item["session_id"] for item in there["items"]], there["total"]) == ([elsewhere().id], 1)
    assert there["counts"] == [{"reason": "estimates_disagree", "sessions": 1}]
    assert review(desk, site_id="nowhere") == {"items": [], "next": None, "total": 0, "counts": []}
    refused = desk.client.get("/review", params={"reason": "bored"})
    assert (refused.status_code, refused.json()["field"]) == (422, "reason")


def test_review_comes_in_pages(desk: RunningApi) -> None:
    ids: list[str] = []
    page = review(desk, limit=1)
    ids += [item["session_id"] for item in page["items"]]
    while page["next"]:
        page = review(desk, limit=1, cursor=page["next"])
        ids += [item["session_id"] for item in page["items"]]
    assert ids == [elsewhere().id, held(2, 20).id, doubtful().id]
    assert desk.client.get("/review", params={"cursor": "x"}).json()["field"] == "cursor"


def test_gaps_tell_where_a_register_moved_though_nobody_charged(desk: RunningApi) -> None:
    [gap] = desk.client.get("/gaps").json()["items"]
    assert gap == {
        "session_id": with_gap(4, 40, -300).id, "station_id": "LB-1", "site_id": "torget", "evse_id": 1,
        "started_at": "2026-02-27T20:00:00Z", "gap_wh": -300, "before_session_id": "BEFORE", "before_wh": BEGIN_WH + 300,
        "before_at": "2026-02-27T19:00:00Z",
    }  # fmt: skip
    assert desk.client.get("/gaps", params={"from": "2026-02-28T00:00:00Z"}).json()["items"] == []
    assert desk.client.get("/gaps", params={"station_id": "LB-2"}).json()["items"] == []


def test_habits_are_shown_by_version_with_the_session_that_taught_each(desk: RunningApi) -> None:
    empty = desk.client.get("/stations/LB-1/traits").json()
    assert empty == {"station_id": "LB-1", "versions": [], "quirks": []}
    learned = Traits(
        version=1,
        register_kind=RegisterKind.LIFETIME,
        phases=(EvsePhases(1, (1, 2, 3)),),
        watched={"register_unit_wh": Sighting(1000, 1)},
    )
    for traits in (Traits(watched={"register_kind": Sighting("lifetime", 1)}), learned):
        desk.sql(
            "INSERT INTO station_traits VALUES (1, 1, $1, $2, $3, $4)",
            traits.version, NOW, f"TEACHER-{traits.version}", msgspec.json.encode(traits).decode(),
        )  # fmt: skip
    newest, first = desk.client.get("/stations/LB-1/traits").json()["versions"]
    assert newest == {
        "version": 1, "learned_at": "2026-03-01T12:00:00Z", "session_id": "TEACHER-1", "register_kind": "lifetime",
        "samples_from_zero": False, "register_unit_wh": 1, "clock_offset_s": 0,
        "phases": [{"evse_id": 1, "lines": [1, 2, 3]}],
        "watched": [{"habit": "register_unit_wh", "value": 1000, "times": 1}],
    }  # fmt: skip
    assert (first["version"], first["watched"][0]["value"]) == (0, "lifetime")


def test_quirks_of_the_model_are_shown_with_their_source(desk: RunningApi) -> None:
    desk.sql(
        "UPDATE station SET vendor = 'ChargoRama', model = 'Grizzl-E', firmware_version = '1' WHERE identity = 'LB-1'"
    )
    [quirk] = desk.client.get("/stations/LB-1/traits").json()["quirks"]
    assert quirk == {
        "vendor": "*", "model": "*grizzl*", "firmware": "*", "flags": ["samples_count_from_zero"],
        "source": "lbbrhzn/ocpp#2115",
    }  # fmt: skip
    assert desk.client.get("/stations/NONE/traits").status_code == 404


def test_what_the_real_engine_found_is_shown(desk: RunningApi) -> None:
    desk.client.put("/id-tokens/04A1", json={"status": "Accepted"})
    session_id = charge(desk, "04A1", readings=(3_000, 5_000), started_at=NOW - timedelta(days=3))
    settle(desk)
    energy = desk.client.get(f"/sessions/{session_id}").json()["energy"]
    assert (energy["method"], energy["confidence"], energy["begin_wh"], energy["end_wh"]) == (
        "registers",
        "high",
        1_000,
        6_000,
    )
    assert "sampled" in [each["method"] for each in energy["estimates"]]


def test_a_correction_that_was_held_waits_until_somebody_decides(desk: RunningApi) -> None:
    [row] = desk.sql("SELECT id, tenant FROM session WHERE state = 'settled' ORDER BY started_at LIMIT 1")

    def decided(number: int, kind: str, **body: Any) -> None:
        desk.sql(
            "INSERT INTO decision (tenant, session_id, number, at, kind, decided_by, body) VALUES ($1, $2, $3, $4, $5, 'x', $6::text::jsonb)",
            row["tenant"], row["id"], number, NOW, kind, msgspec.json.encode(body).decode(),
        )  # fmt: skip

    def waiting() -> list[tuple[str, int, list[str]]]:
        items = desk.client.get("/corrections").raise_for_status().json()["items"]
        return [(item["session_id"], item["told_wh"], item["reasons"]) for item in items]

    assert waiting() == []
    decided(101, "correction_held", energy_wh=5_100, reasons=["late_messages"])
    decided(102, "correction_held", energy_wh=5_200, reasons=["late_messages"])
    assert waiting() == [(row["id"], 5_200, ["late_messages"])]
    assert desk.client.get("/corrections", params={"site_id": "hamnen"}).json()["items"] == []
    decided(103, "verdict", verdict={"kind": "reopen", "reason": "look"})
    assert waiting() == []


def test_energy_that_nobody_can_believe_is_neither_shown_nor_priced(desk: RunningApi) -> None:
    session = charge(desk, "04C0FFEE", begin_wh=5_007_100, end_wh=5_507_100)
    settle(desk)
    shown = desk.client.get(f"/sessions/{session}").json()
    assert (shown["state"], shown["energy_wh"], shown["price"]) == ("review", None, None)
    assert shown["price_missing_reason"] == "no_meter_reading"
    price = desk.client.get(f"/sessions/{session}/price").json()
    assert "lines" not in price and price["reason"] == "no_meter_reading"
