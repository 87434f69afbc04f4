"""Does a tariff hold from when it should, and where it should?"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.edge.api.conftest import NOW, RunningApi


def _document(tariff_id: str, price: str = "3.20", **more: Any) -> dict[str, Any]:
    component = {"type": "ENERGY", "price": price, "vat": 25, "step_size": 1}
    return {"id": tariff_id, "currency": "SEK", "elements": [{"price_components": [component]}], **more}


def test_the_first_tariff_is_the_default_until_another_is_chosen(house: RunningApi) -> None:
    first = house.client.post("/tariffs", json=_document("first"))
    assert first.status_code == 201
    assert first.json() == {"id": "first", "version": 1, "valid_from": "2026-03-01T12:00:00Z", "findings": []}
    house.client.post("/tariffs", json=_document("second"))
    assert _default(house) == "first"
    house.clock.at = NOW + timedelta(hours=1)
    assert house.client.put("/tariffs/default", json={"tariff_id": "second"}).status_code == 200
    assert _default(house) == "second"
    assert house.client.get("/tariff-assignments").json()["items"] == [
        {"scope": "default", "scope_id": "", "tariff_id": "second"}
    ]


def test_of_first_tariffs_posted_at_once_one_is_the_default(house: RunningApi) -> None:
    for attempt in range(5):
        house.sql("DELETE FROM tariff_assignment")
        ids = [f"race-{attempt}-{number}" for number in range(4)]

        def post(tariff_id: str) -> int:
            house.clock.at += timedelta(seconds=1)  # two of one second would meet at the key of the table
            headers = dict(house.client.headers)
            url = f"{house.url}/api/v1/tariffs"
            return httpx.post(url, json=_document(tariff_id), headers=headers, timeout=20).status_code

        with ThreadPoolExecutor(4) as threads:
            assert set(threads.map(post, ids)) == {201}
        [default] = house.sql("SELECT tariff_id FROM tariff_assignment WHERE scope = 'default'")
        assert default["tariff_id"] in ids


def test_the_same_id_is_a_new_version_that_never_reaches_into_the_past(house: RunningApi) -> None:
    start = {"past": "2020-01-01T00:00:00Z", "future": "2026-04-01T00:00:00Z"}
    assert house.client.post("/tariffs", json=_document("t", start_date_time=start["past"])).json()["version"] == 1
    later = house.client.post("/tariffs", json=_document("t", "4.00", start_date_time=start["future"])).json()
    assert (later["version"], later["valid_from"]) == (2, start["future"])
    versions = house.client.get("/tariffs/t").json()["versions"]
    assert [(v["version"], v["valid_from"]) for v in versions] == [(1, "2026-03-01T12:00:00Z"), (2, start["future"])]
    assert versions[1]["document"]["elements"][0]["price_components"][0]["price"] == "4.00"
    assert _shown(house, "t")["version"] == 1
    house.clock.at = NOW + timedelta(days=60)
    assert _shown(house, "t")["version"] == 2


@pytest.mark.parametrize(
    "dates",
    [
        {"end_date_time": "2020-01-01T00:00:00Z"},
        {"end_date_time": "2026-03-01T12:00:00Z"},
        {"start_date_time": "2026-04-01T00:00:00Z", "end_date_time": "2026-04-01T02:00:00+02:00"},
    ],
)
def test_a_tariff_that_ends_before_it_would_begin_is_refused(house: RunningApi, dates: dict[str, str]) -> None:
    answer = house.client.post("/tariffs", json=_document("over", **dates))
    assert (answer.status_code, answer.json()["field"]) == (422, "end_date_time")
    assert house.client.get("/tariffs/over").status_code == 404
    assert (
        house.client.post("/tariffs", json=_document("short", end_date_time="2026-03-01T12:00:01Z")).status_code == 201
    )


def test_a_price_keeps_its_digits(house: RunningApi) -> None:
    text = b'{"id": "d", "currency": "SEK", "elements": [{"price_components": [{"type": "ENERGY", "price": 3.10}]}]}'
    house.client.post("/tariffs", content=text, headers={"Content-Type": "application/json"})
    assert b'"price": 3.10' in house.client.get("/tariffs/d").content


def test_an_unknown_restriction_is_told(house: RunningApi) -> None:
    document = _document("odd")
    document["elements"][0]["restrictions"] = {"moon_phase": "full"}
    [finding] = house.client.post("/tariffs", json=document).json()["findings"]
    assert "moon_phase" in finding


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "kr"}, "currency"),
        ({"elements": []}, "elements"),
        (
            {"elements": [{"price_components": [{"type": "ENERGY", "price": "much"}]}]},
            "elements[0].price_components[0].price",
        ),
        ({"laddbok": {"idle": {"per_min": "-1"}}}, "laddbok.idle"),
        ({"id": ""}, "id"),
        ({"id": "a/b"}, "id"),
        ({"id": "default"}, "id"),
        ({"id": "check"}, "id"),
        ({"id": "week"}, "id"),
        ({"id": "."}, "id"),
        ({"id": ".."}, "id"),
        ({"id": "a\0"}, "id"),
        ({"party_id": "a\0"}, "party_id"),
        ({"start_date_time": "9999-12-31T23:59:59-14:00"}, "start_date_time"),
        (
            {"elements": [{"price_components": [{"type": "ENERGY", "price": "1e9999999"}]}]},
            "elements[0].price_components[0].price",
        ),
    ],
)
def test_a_bad_tariff_is_refused_with_its_field(house: RunningApi, change: dict[str, Any], field: str) -> None:
    answer = house.client.post("/tariffs", json={**_document("bad"), **change})
    assert answer.status_code == 422
    assert answer.json()["field"].startswith(field)


def test_a_tariff_is_assigned_to_what_exists_only(house: RunningApi) -> None:
    house.client.post("/tariffs", json=_document("a"))
    for scope, scope_id in (("station", "LB-1"), ("site", "torget")):
        body = {"scope": scope, "scope_id": scope_id, "tariff_id": "a"}
        assert house.client.put("/tariff-assignments", json=body).json() == body
    assert house.client.get("/stations/LB-1").json()["tariff_id"] == "a"
    for body, field in (
        ({"scope": "site", "scope_id": "none", "tariff_id": "a"}, "scope_id"),
        ({"scope": "site", "scope_id": "torget", "tariff_id": "none"}, "tariff_id"),
        ({"scope": "moon", "scope_id": "torget", "tariff_id": "a"}, "scope"),
    ):
        answer = house.client.put("/tariff-assignments", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


def _default(house: RunningApi) -> str:
    [default] = [item["id"] for item in house.client.get("/tariffs").json()["items"] if item["is_default"]]
    return str(default)


def _shown(house: RunningApi, tariff_id: str) -> dict[str, Any]:
    [found] = [item for item in house.client.get("/tariffs").json()["items"] if item["id"] == tariff_id]
    return dict(found)


def _ad_hoc(tariff_id: str, *kinds: str) -> dict[str, Any]:
    components = [{"type": kind, "price": "5.00", "vat": 25} for kind in kinds]
    elements = [{"price_components": components}]
    return {"id": tariff_id, "currency": "SEK", "type": "AD_HOC_PAYMENT", "elements": elements}


@pytest.fixture(scope="module")
def fast(house: RunningApi) -> RunningApi:
    """The house with a station of 150 kW on a site of its own."""
    site = {"name": "Vägen", "time_zone": "Europe/Stockholm", "seller_id": "ab"}
    assert house.client.put("/sites/vagen", json=site).status_code == 200
    evse = {"evse_id": 1, "max_power_w": 150_000, "connectors": [{"connector_id": 1}]}
    station = {"station_id": "DC-1", "site_id": "vagen", "evses": [evse]}
    assert house.client.post("/stations", json=station).status_code == 201
    house.client.post("/tariffs", json=_document("plain"))
    assert house.client.put("/tariffs/default", json={"tariff_id": "plain"}).status_code == 200
    return house


def test_B39_a_start_fee_without_contract_is_refused_where_there_are_50_kW(fast: RunningApi) -> None:
    assert fast.client.post("/tariffs", json=_ad_hoc("with-fee", "ENERGY", "FLAT")).status_code == 201
    for scope, scope_id, status in (("site", "vagen", 422), ("station", "DC-1", 422), ("site", "torget", 200)):
        body = {"scope": scope, "scope_id": scope_id, "tariff_id": "with-fee"}
        answer = fast.client.put("/tariff-assignments", json=body)
        assert answer.status_code == status, scope_id
        assert status == 200 or (answer.json()["field"], "start fee" in answer.json()["detail"]) == ("tariff_id", True)
    answer = fast.client.put("/tariffs/default", json={"tariff_id": "with-fee"})
    assert (answer.status_code, answer.json()["field"]) == (422, "tariff_id")
    fast.clock.at = NOW + timedelta(minutes=1)
    own = {"scope": "site", "scope_id": "vagen", "tariff_id": "plain"}
    assert fast.client.put("/tariff-assignments", json=own).status_code == 200
    assert fast.client.put("/tariffs/default", json={"tariff_id": "with-fee"}).status_code == 200


def test_B39_a_new_version_is_checked_where_the_tariff_applies(fast: RunningApi) -> None:
    assert fast.client.post("/tariffs", json=_ad_hoc("dc", "ENERGY", "PARKING_TIME")).json().get("details") is None
    body = {"scope": "station", "scope_id": "DC-1", "tariff_id": "dc"}
    assert fast.client.put("/tariff-assignments", json=body).status_code == 200
    answer = fast.client.post("/tariffs", json=_ad_hoc("dc", "ENERGY", "TIME", "FLAT"))
    assert (answer.status_code, answer.json()["field"]) == (422, "elements[0].price_components[1]")
    assert "elements[0].price_components[2]" in answer.json()["detail"]
    assert len(fast.client.get("/tariffs/dc").json()["versions"]) == 1
    lower = fast.client.post("/tariffs", json=_ad_hoc("elsewhere", "ENERGY", "TIME", "FLAT"))
    assert lower.status_code == 201


def test_B39_a_version_to_come_is_checked_though_it_was_posted_before_the_one_that_holds(fast: RunningApi) -> None:
    later = {"start_date_time": "2027-01-01T00:00:00Z"}
    assert fast.client.post("/tariffs", json={**_ad_hoc("turned", "ENERGY", "FLAT"), **later}).status_code == 201
    assert fast.client.post("/tariffs", json=_ad_hoc("turned", "ENERGY")).json()["version"] == 2
    body = {"scope": "station", "scope_id": "DC-1", "tariff_id": "turned"}
    answer = fast.client.put("/tariff-assignments", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "tariff_id")
    assert fast.client.post("/tariffs", json={**_ad_hoc("turned", "ENERGY"), **later}).json()["version"] == 3
    assert fast.client.put("/tariff-assignments", json=body).status_code == 200  # the third one replaces the first


def test_B39_an_EVSE_that_is_made_stronger_names_what_its_tariff_may_not_ask_any_more(fast: RunningApi) -> None:
    station = {"station_id": "AC-1", "site_id": "torget", "evses": [{"evse_id": 1, "max_power_w": 49_999}]}
    assert fast.client.post("/stations", json=station).json()["tariff_findings"] == []
    fast.clock.at += timedelta(minutes=1)
    fast.client.post("/tariffs", json=_ad_hoc("start-fee", "ENERGY", "FLAT"))
    for scope, scope_id in (("site", "torget"), ("station", "AC-1")):
        body = {"scope": scope, "scope_id": scope_id, "tariff_id": "start-fee"}
        assert fast.client.put("/tariff-assignments", json=body).status_code == 200

    def made(power_w: int, station_id: str = "AC-1") -> Any:
        evse = {"evse_id": 1, "max_power_w": power_w}
        return fast.client.patch(f"/stations/{station_id}", json={"evses": [evse]}).raise_for_status().json()

    [found] = made(50_000)["tariff_findings"]
    assert (found["tariff_id"], found["code"], found["path"], found["severity"]) == (
        "start-fee", "afir_price", "elements[0].price_components[1]", "refused",
    )  # fmt: skip
    assert found["text"]["sv"] == "en startavgift är inte tillåten utan avtal vid 50 kW eller mer"
    assert made(22_000)["tariff_findings"] == []
    strong = station | {"station_id": "AC-2", "evses": [{"evse_id": 2, "max_power_w": 150_000}]}
    assert [each["tariff_id"] for each in fast.client.post("/stations", json=strong).json()["tariff_findings"]] == [
        "start-fee"
    ]
    fast.clock.at += timedelta(minutes=1)
    own = {"scope": "station", "scope_id": "AC-2", "tariff_id": "plain"}
    assert fast.client.put("/tariff-assignments", json=own).status_code == 200
    assert made(160_000, "AC-2")["tariff_findings"] == []


def test_what_a_tariff_warns_of_is_told_in_both_languages(house: RunningApi) -> None:
    document = _document("night", type="REGULAR")
    document["elements"][0]["restrictions"] = {"start_time": "22:00", "end_time": "06:00"}
    answer = house.client.post("/tariffs", json=document).json()
    assert answer["findings"] == ["elements: ENERGY has no price Mon-Sun 06:00-22:00"]
    text = {"sv": "ENERGY har inget pris mån-sön 06:00-22:00", "en": "ENERGY has no price Mon-Sun 06:00-22:00"}
    assert answer["details"] == [{"code": "hole", "path": "elements", "severity": "warning", "text": text}]


def test_a_contradiction_is_refused_with_its_path(house: RunningApi) -> None:
    document = _document("never")
    document["elements"][0]["restrictions"] = {"min_kwh": 20, "max_kwh": 10}
    answer = house.client.post("/tariffs", json=document)
    assert (answer.status_code, answer.json()["field"]) == (422, "elements[0].restrictions.max_kwh")
    assert house.client.get("/tariffs/never").status_code == 404


def test_a_tariff_is_checked_without_being_written(house: RunningApi) -> None:
    question = {"ad_hoc": "true", "max_power_w": "50000"}
    document = _document("asked")
    document["elements"][0]["price_components"].insert(0, {"type": "FLAT", "price": 5, "vat": 25})
    answer = house.client.post("/tariffs/check", json=document, params=question).json()
    assert answer["refused"] is True
    assert [(each["code"], each["path"], each["severity"]) for each in answer["findings"]] == [
        ("afir_price", "elements[0].price_components[0]", "refused")
    ]
    assert [each["text"]["sv"] for each in answer["prices"]] == ["3,20 kr/kWh + moms", "5,00 kr per laddning + moms"]
    assert house.client.get("/tariffs/asked").status_code == 404
    assert house.client.post("/tariffs/check", json=document).json()["refused"] is False
    for bad, field in (({"max_power_w": "-1"}, "max_power_w"), ({"max_power_w": "much"}, "max_power_w")):
        refused = house.client.post("/tariffs/check", json=document, params=bad)
        assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert house.client.post("/tariffs/check", json={"id": "x"}).json()["field"] == "currency"


def test_a_tariff_is_exported_as_it_holds(house: RunningApi) -> None:
    party = {"country_code": "SE", "party_id": "LAD"}
    house.client.post("/tariffs", json=_document("out", **party))
    house.client.post("/tariffs", json=_document("out", "4.00", start_date_time="2026-04-01T00:00:00Z", **party))
    found = house.client.get("/tariffs/out/export", params={"to": "ocpi-2.3.0"}).json()
    assert (found["tax_included"], found["last_updated"]) == ("NO", "2026-03-01T12:00:00Z")
    assert found["elements"][0]["price_components"][0]["price"] == 3.2
    second = house.client.get("/tariffs/out/export", params={"to": "ocpp-2.1", "version": 2}).json()
    assert second["energy"] == {"prices": [{"priceKwh": 4.0}], "taxRates": [{"type": "VAT", "tax": 25}]}
    for path, params, status in (
        ("out", {"to": "ocpi-2.1.1"}, 422),
        ("out", {}, 422),
        ("out", {"to": "ocpp-2.1", "version": 3}, 404),
        ("none", {"to": "ocpp-2.1"}, 404),
    ):
        assert house.client.get(f"/tariffs/{path}/export", params=params).status_code == status


def test_an_export_that_can_not_be_said_names_the_place(house: RunningApi) -> None:
    house.client.post("/tariffs", json=_document("idle", laddbok={"idle": {"per_min": 1, "grace_s": 900}}))
    answer = house.client.get("/tariffs/idle/export", params={"to": "ocpp-2.1"})
    assert (answer.status_code, answer.json()["field"]) == (422, "laddbok.idle")
    assert "laddbok.idle.grace_s" in answer.json()["detail"]
