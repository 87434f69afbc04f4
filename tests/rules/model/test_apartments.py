"""Is an agreement on apartments that can't be kept refused by its field?"""

from typing import Any

import pytest

from laddbok.model.apartments import parse_apartments
from laddbok.model.errors import Invalid
from laddbok.model.home_charging import parse_home_terms

ANNA = {"contract_id": "anna"}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"apartments": []}, "apartments"),
        ({"apartments": [{"apartment": "1"}, {"apartment": "2"}, {"apartment": "1"}]}, "apartments[2].apartment"),
        ({"apartments": [{"apartment": " 1"}]}, "apartments[0].apartment"),
        ({"apartments": [{"apartment": "1", "part": "60"}, {"apartment": "2", "part": "39.5"}]}, "of"),
        ({"apartments": [{"apartment": "1", "part": "100"}, {"apartment": "2"}]}, "apartments[1].part"),
        ({"apartments": [{"apartment": "1", "part": "-1"}], "of": -1}, "apartments[0].part"),
        ({"apartments": [{"apartment": "1", "part": "0"}], "of": 0}, "of"),
        ({"apartments": [{"apartment": "1", "holders": [{}]}]}, "apartments[0].holders[0]"),
        ({"apartments": [{"apartment": "1", "holders": [{**ANNA, "id_token": "A"}]}]}, "apartments[0].holders[0]"),
        (
            {"apartments": [{"apartment": "1", "holders": [{**ANNA, "first_day": "2026-02-01", "last_day": "2026-01-31"}]}]},
            "apartments[0].holders[0].last_day",
        ),
        (
            {"apartments": [
                {"apartment": "1", "holders": [{**ANNA, "last_day": "2026-02-01"}]},
                {"apartment": "2", "holders": [{**ANNA, "first_day": "2026-02-01"}]},
            ]},
            "apartments[1].holders[0].contract_id",
        ),
        ({"apartments": [{"apartment": "1"}], "language": "de"}, "language"),
        ({"apartments": [{"apartment": "1", "rooms": 4}]}, "apartments[0]"),
    ],
)  # fmt: skip
def test_apartments_that_can_not_be_kept_are_refused(document: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_apartments(document)
    assert error.value.field == field


def test_one_who_moves_is_one_apartments_after_another_s() -> None:
    homes = [{**ANNA, "first_day": "2026-02-02"}, {**ANNA, "last_day": "2026-02-01"}]
    house = parse_apartments({"apartments": [{"apartment": f"{n}", "holders": [each]} for n, each in enumerate(homes)]})
    assert [each.holders[0].contract_id for each in house.apartments] == ["anna", "anna"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prices": []}, "prices"),
        ({"tariff_id": "hem"}, "tariff_id"),
        ({"prices": [], "tariff_id": ""}, "tariff_id"),
        ({"prices": [{"per_kwh": "-1"}]}, "prices[0].per_kwh"),
        ({"prices": [{"per_kwh": "1"}, {"per_kwh": "2"}]}, "prices[1].from_date"),
        ({"prices": [{"per_kwh": "1", "from_date": "2026-13-01"}]}, "prices[0].from_date"),
        ({"language": "de"}, "language"),
        ({"employer_id": None}, "employer_id"),
    ],
)
def test_a_home_agreement_that_can_not_be_kept_is_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_home_terms({"site_id": "hemma", "employer_id": "ab", "prices": [{"per_kwh": "1.85"}], **change})
    assert error.value.field == field
