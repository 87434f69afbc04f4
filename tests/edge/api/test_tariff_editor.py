"""Is a tariff that nobody has published drawn and tried as it would cost, and is nothing written?"""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
import pytest

from laddbok.model.cdr import Cdr
from laddbok.model.market_prices import PriceQuote
from laddbok.model.session import SessionState, TariffChoice
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.example_session import example_session
from laddbok.rating.rate import rate
from laddbok.store.spot_prices import keep_prices
from tests.edge.api.charges import TARIFF, running, store
from tests.edge.api.conftest import NOW, RunningApi

STOCKHOLM = "Europe/Stockholm"
STARTED_AT = datetime(2026, 3, 2, 20, 30, tzinfo=UTC)
NIGHT = {"start_time": "22:00", "end_time": "06:00"}


def _component(price: str, kind: str = "ENERGY") -> dict[str, Any]:
    return {"type": kind, "price": price, "vat": 25, "step_size": 1}


def day_and_night(**more: Any) -> dict[str, Any]:
    """2.50 by day, 1.90 at night, 2 kr a minute after 15 minutes idle; with VAT."""
    return {
        "id": "draft", "currency": "SEK", "tax_included": "YES",
        "elements": [
            {"price_components": [_component("1.90")], "restrictions": NIGHT},
            {"price_components": [_component("2.50")]},
        ],
        "laddbok": {"idle": {"per_min": "2", "grace_s": 900}},
    } | more  # fmt: skip


def spot(**terms: Any) -> dict[str, Any]:
    return {
        "id": "spot", "currency": "SEK", "elements": [], "laddbok": {"spot": {"zone": "SE3", "vat": 25, **terms}},
    }  # fmt: skip


def draw(house: RunningApi, document: dict[str, Any], from_date: str = "2026-03-02", **more: Any) -> Any:
    body = {"document": document, "time_zone": STOCKHOLM, "from_date": from_date, **more}
    return house.client.post("/tariffs/week", json=body)


def attempt(house: RunningApi, document: dict[str, Any], **example: Any) -> Any:
    told = {"started_at": STARTED_AT.isoformat(), "energy_wh": 10_000, "charging_min": 60, "idle_min": 20, **example}
    return house.client.post("/tariffs/try", json={"document": document, "example": told})


async def keep(house: RunningApi, quotes: list[PriceQuote]) -> None:
    connection = await asyncpg.connect(**house.dsn)
    await keep_prices(connection, [1], quotes, "test", NOW)
    await connection.close()


def test_a_week_is_drawn_with_each_price_once(house: RunningApi) -> None:
    grid = draw(house, day_and_night()).json()
    assert [day["date"] for day in grid["days"]] == [f"2026-03-0{n}" for n in range(2, 9)]
    assert [(price["incl_vat"], price["excl_vat"]) for price in grid["prices"]] == [
        ("1.90", "1.5200"),
        ("2.50", "2.0000"),
    ]
    for day in grid["days"]:
        assert day["cells"] == [0] * 24 + [1] * 64 + [0] * 8
        assert (day["times"][0], day["times"][24], day["times"][-1]) == ("00:00", "06:00", "23:45")
    assert grid["prices"][0]["restriction"] == {"sv": "22:00 till 06:00", "en": "22:00 to 06:00"}
    assert grid["prices"][1]["restriction"] is None
    assert (grid["currency"], grid["tax_included"], grid["days"][0]["start_at"]) == (
        "SEK",
        True,
        "2026-03-01T23:00:00Z",
    )


def test_the_nights_when_the_clock_moves(house: RunningApi) -> None:
    spring, autumn = draw(house, day_and_night(), "2026-03-23"), draw(house, day_and_night(), "2026-10-19")
    assert [len(day["cells"]) for day in spring.json()["days"]] == [96] * 6 + [92]
    assert [len(day["cells"]) for day in autumn.json()["days"]] == [96] * 6 + [100]
    assert spring.json()["days"][6]["times"][7:9] == ["01:45", "03:00"]


def test_quarters_at_the_market_wait_for_their_price(house: RunningApi) -> None:
    start_s = int(datetime(2026, 3, 1, 23, tzinfo=UTC).timestamp())
    quotes = [PriceQuote("SE3", "SEK", start_s + n * 3600, 60, Decimal(n).scaleb(-2)) for n in range(24)]
    asyncio.run(keep(house, quotes))
    grid = draw(house, spot(markup="0.05", grid=[{"per_kwh": "0.25"}])).json()
    first, last = (grid["prices"][grid["days"][0]["cells"][n]] for n in (0, 95))
    assert (first["excl_vat"], first["incl_vat"], first["pending"]) == ("0.30", "0.3750", False)
    assert (last["excl_vat"], last["incl_vat"]) == ("0.53", "0.6625")
    assert last["parts"] == {"spot": "0.23", "markup": "0.05", "grid": "0.25", "energy_tax": "0", "source": "test"}
    assert {grid["prices"][place]["pending"] for place in grid["days"][1]["cells"]} == {True}
    known, unknown = (
        attempt(house, spot(), idle_min=0).json(),
        attempt(house, spot(), started_at="2026-03-03T22:30:00Z"),
    )
    assert known["excl_vat"] == "2.15"  # 21:30 to 22:30 of the day: half at 0.21, half at 0.22
    assert unknown.json()["excl_vat"] is None
    assert {line["pending"] for line in unknown.json()["lines"]} == {True}
    assert [finding["code"] for finding in unknown.json()["findings"]] == ["price_pending"]


def test_an_example_costs_what_the_rules_say(house: RunningApi) -> None:
    document = day_and_night()
    shown = attempt(house, document).json()
    expected = rate(
        example_session(STARTED_AT, 10_000, 3_600, 1_200, STOCKHOLM),
        compile_tariff(parse_tariff(document), STOCKHOLM),
    )
    assert (Decimal(shown["incl_vat"]), Decimal(shown["excl_vat"])) == (expected.incl_vat, expected.excl_vat)
    assert shown["incl_vat"] == "32.00"  # 5 kWh x 2.50 + 5 kWh x 1.90 + 5 min x 2
    assert [line["text"]["sv"] for line in shown["lines"]] == [
        "5 kWh x 2,50 kr/kWh",
        "5 kWh x 1,90 kr/kWh (22:00 till 06:00)",
        "5 min x 2,00 kr/min (efter 15 min utan avgift)",
    ]
    assert (shown["final"], shown["tariff"]) == (False, {"id": "draft", "version": 0})


def test_a_real_session_is_priced_under_another_tariff(house: RunningApi) -> None:
    assert house.client.post("/tariffs", json=TARIFF).status_code == 201
    charged = running(7, started_at=NOW, energy_wh=5_000)
    told = msgspec.structs.replace(charged, state=SessionState.SETTLED, transaction_ended_at=NOW + timedelta(hours=1))
    store(house, told)
    _issue(house, example_session(NOW, 5_000, 3_600, 0, STOCKHOLM), told.id)
    answer = house.client.post("/tariffs/try", json={"document": day_and_night(), "session_id": told.id})
    assert answer.json()["incl_vat"] == "12.50"
    nobody = house.client.post("/tariffs/try", json={"document": day_and_night(), "session_id": "AWQD-K011-CEHY-SPKN"})
    assert nobody.status_code == 404


def test_a_session_that_ended_as_it_began_is_tried(house: RunningApi) -> None:
    over = msgspec.structs.replace(running(9), state=SessionState.SETTLED, transaction_ended_at=NOW)
    store(house, over)
    empty = msgspec.structs.replace(example_session(NOW, 0, 1, 0, STOCKHOLM), periods=(), transaction_ended_at=NOW)
    _issue(house, empty, over.id)
    for document in (day_and_night(), spot()):
        answer = house.client.post("/tariffs/try", json={"document": document, "session_id": over.id})
        assert (answer.status_code, answer.json().get("incl_vat")) == (200, "0.00")


def test_a_day_that_a_place_never_had_is_left_out(house: RunningApi) -> None:
    grid = draw(house, day_and_night(), "2011-12-28", time_zone="Pacific/Apia").json()
    assert [day["date"][-2:] for day in grid["days"]] == ["28", "29", "31", "01", "02", "03"]


def _issue(house: RunningApi, cdr: Cdr, session_id: str) -> None:
    rating = rate(cdr, compile_tariff(parse_tariff(TARIFF), STOCKHOLM))
    house.sql(
        "INSERT INTO cdr (tenant, session_id, revision, kind, issued_at, energy_wh, currency, excl_vat, incl_vat,"
        " tariff_id, tariff_version, document, rating)"
        " VALUES (1, $1, 1, 'cdr', $2, $3, 'SEK', $4, $5, 'plain', 1, $6, $7)",
        session_id, NOW, cdr.energy_wh, rating.excl_vat, rating.incl_vat,
        msgspec.json.encode(cdr).decode(), msgspec.json.encode(rating).decode(),
    )  # fmt: skip


def test_the_price_of_a_session_says_when_its_prices_apply(house: RunningApi) -> None:
    by_day = {"price_components": [_component("2.50")], "restrictions": {"start_time": "06:00", "end_time": "22:00"}}
    assert house.client.post("/tariffs", json=day_and_night(id="by-day", elements=[by_day])).status_code == 201
    charging = msgspec.structs.replace(running(8), tariff=TariffChoice("by-day", 1))
    house.clock.at = NOW + timedelta(hours=1)
    shown = house.client.get(f"/sessions/{store(house, charging)}/price").json()
    [line] = shown["lines"]
    assert line["restriction"] == {"sv": "06:00 till 22:00", "en": "06:00 to 22:00"}
    assert line["text"]["sv"] == "5 kWh x 2,50 kr/kWh (06:00 till 22:00)"
    assert (line["parts"], line["pending"]) == (None, False)


def test_a_tariff_is_listed_with_its_name_and_versions(house: RunningApi) -> None:
    named = day_and_night(id="named", tariff_alt_text=[{"language": "sv", "text": "Natt och dag"}])
    for document in (named, named, day_and_night(id="nameless")):
        assert house.client.post("/tariffs", json=document).status_code == 201
    listed = {item["id"]: (item["name"], item["versions"]) for item in house.client.get("/tariffs").json()["items"]}
    assert (listed["named"], listed["nameless"]) == (("Natt och dag", 2), (None, 1))
    versions = house.client.get("/tariffs/named").json()["versions"]
    assert [version["posted_by"] for version in versions] == [house.client.get("/me").json()["person"]] * 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "kr"}, "currency"),
        ({"laddbok": {"idle": {"per_min": "2x"}}}, "laddbok.idle.per_min"),
        ({"elements": [{"price_components": [_component("1")] * 501}]}, "elements"),
        ({"elements": []}, "elements"),
    ],
)
def test_what_is_wrong_in_a_draft_is_named(house: RunningApi, change: dict[str, Any], field: str) -> None:
    for answer in (draw(house, day_and_night(**change)), attempt(house, day_and_night(**change))):
        assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from_date": "9999-12-31"}, "from_date"),
        ({"from_date": "soon"}, "from_date"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"power_w": -1}, "power_w"),
        ({"when": 1}, "when"),
    ],
)
def test_a_week_that_cannot_be_drawn_is_named(house: RunningApi, body: dict[str, Any], field: str) -> None:
    answer = draw(house, day_and_night(), **body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("example", "field"),
    [
        ({"charging_min": 0}, "example.charging_min"),
        ({"energy_wh": -1}, "example.energy_wh"),
        ({"idle_min": 2_881}, "example.idle_min"),
        ({"started_at": "2026-03-02T20:30:00"}, "example.started_at"),
        ({"time_zone": "../etc"}, "time_zone"),
    ],
)
def test_an_example_that_no_session_can_be_is_named(house: RunningApi, example: dict[str, Any], field: str) -> None:
    answer = attempt(house, day_and_night(), **example)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    both = {"document": day_and_night(), "example": None, "session_id": None}
    assert house.client.post("/tariffs/try", json=both).json()["field"] == "example"


def test_nothing_is_written(house: RunningApi) -> None:
    before = house.sql("SELECT count(*) AS n FROM tariff_version")
    assert draw(house, day_and_night(id="unseen")).status_code == 200
    assert attempt(house, day_and_night(id="unseen")).status_code == 200
    assert house.sql("SELECT count(*) AS n FROM tariff_version") == before
    assert house.client.get("/tariffs/unseen").status_code == 404


def test_a_spot_price_of_a_zone_or_currency_without_prices_is_told(house: RunningApi) -> None:
    start_s = int(datetime(2026, 3, 1, 23, tzinfo=UTC).timestamp())
    asyncio.run(keep(house, [PriceQuote("SE3", "SEK", start_s, 60, Decimal("0.00"))]))
    for change, told in (({}, []), ({"currency": "EUR"}, ["no_market_prices"])):
        document = spot() | {"id": f"spot-{len(told)}", "type": "REGULAR"} | change
        found = house.client.post("/tariffs/check", json=document).json()
        assert (found["refused"], [each["code"] for each in found["findings"]]) == (False, told)
        posted = house.client.post("/tariffs", json=document).json()
        assert [each["code"] for each in posted.get("details", [])] == told
    nowhere = spot(zone="SE9") | {"type": "REGULAR"}
    [finding] = house.client.post("/tariffs/check", json=nowhere).json()["findings"]
    assert finding["path"] == "laddbok.spot.zone" and "SE9 in SEK" in finding["text"]["en"]
