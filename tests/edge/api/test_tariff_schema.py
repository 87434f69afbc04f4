"""Does the description of the API tell a tariff's shape: all that is taken, and what is refused for its shape?"""

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from laddbok.api.tariff_schema import TARIFF_SCHEMA
from laddbok.model.errors import Invalid
from laddbok.model.tariff import parse_tariff
from tests.edge.api.conftest import RunningApi

GOLDEN = Path(__file__).resolve().parents[2] / "golden/ocpi"
SHAPE = jsonschema_rs.validator_for(TARIFF_SCHEMA)


def document(component: Any = None, **more: Any) -> dict[str, Any]:
    priced = {"type": "ENERGY", "price": 3.2} if component is None else component
    return {"id": "T", "currency": "SEK", "elements": [{"price_components": [priced]}], **more}


TAKEN = [
    document(),
    document(party_id="LAD", tariff_alt_text=[{"language": "sv", "text": "Namn"}], last_updated="2026-01-01T00:00:00Z"),
    document({"type": "TIME", "price": "3.20", "vat": "25", "step_size": "60"}),
    document({"type": "FLAT", "price": 0, "vat": None, "step_size": None}),
    document(min_price={"excl_vat": 5, "incl_vat": "6.25"}),
    document(max_price={"before_taxes": 50}, tax_included="YES"),
    document(elements=[{"price_components": [], "restrictions": {"min_kwh": None, "on_sundays_only": True}}]),
    document(laddbok={"idle": {"per_min": "1", "exempt": [{"start_time": "22:00", "day_of_week": ["MONDAY"]}]}}),
    document(elements=[], laddbok={"spot": {"zone": "SE3", "grid": [{"per_kwh": 0.4, "start_date": "2027-01-01"}]}}),
    document(laddbok={"subscription": {"month_fee": 99, "tiers": [{"to_kwh": 100, "per_kwh": 0}]}}),
]
REFUSED = [
    [],
    {"id": "T", "elements": []},
    document({"type": "ENERGY"}),
    document({"type": "POWER", "price": 1}),
    document({"type": "ENERGY", "price": True}),
    document({"type": "ENERGY", "price": 1, "step_size": 0.5}),
    document(elements={}),
    document(tax_included="PERHAPS"),
    document(min_price={"after_taxes": 5}),
    document(elements=[{"price_components": [], "restrictions": {"day_of_week": ["SOMEDAY"]}}]),
    document(laddbok={"idle": {"grace_s": 5}}),
    document(laddbok={"rebate": 5}),
]


def is_taken(body: Any) -> bool:
    try:
        parse_tariff(json.dumps(body).encode())
    except Invalid:
        return False
    return True


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in GOLDEN.glob("*/tariff.json")))
def test_the_tariffs_of_OCPI_have_this_shape(folder: str) -> None:
    SHAPE.validate(json.loads((GOLDEN / folder / "tariff.json").read_text()))


@pytest.mark.parametrize("body", TAKEN)
def test_what_is_taken_has_this_shape(body: dict[str, Any]) -> None:
    assert is_taken(body)
    SHAPE.validate(body)


@pytest.mark.parametrize("body", REFUSED)
def test_what_is_refused_for_its_shape_has_another(body: Any) -> None:
    assert (is_taken(body), SHAPE.is_valid(body)) == (False, False)


def test_the_description_of_the_API_tells_it(api: RunningApi) -> None:
    paths = httpx.get(f"{api.url}/api/v1/openapi.json").json()["paths"]
    for path in ("/api/v1/tariffs", "/api/v1/tariffs/check"):
        told = paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert told["required"] == ["id", "currency"]
        found = jsonschema_rs.validator_for(told)
        assert [found.is_valid(body) for body in (*TAKEN, *REFUSED)] == [True] * len(TAKEN) + [False] * len(REFUSED)
