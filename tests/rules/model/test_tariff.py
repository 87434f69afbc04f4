"""Are tariffs read as they are in the wild, and refused with the field that is wrong?"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from laddbok.model.errors import Invalid
from laddbok.model.tariff import IdleUntil, TaxIncluded, Weekday, parse_tariff

ENERGY = {"type": "ENERGY", "price": 3.2, "vat": 25}


def document(**changes: Any) -> dict[str, Any]:
    return {"id": "T", "currency": "SEK", "elements": [{"price_components": [ENERGY]}], **changes}


def restricted(**restrictions: Any) -> dict[str, Any]:
    return document(elements=[{"price_components": [ENERGY], "restrictions": restrictions}])


def priced(**component: Any) -> dict[str, Any]:
    return document(elements=[{"price_components": [ENERGY | component]}])


def test_the_version_shows_in_tax_included() -> None:
    old, new = parse_tariff(document()), parse_tariff(document(tax_included="YES"))
    assert (old.version, old.tax, new.version, new.tax) == ("2.2.1", TaxIncluded.NO, "2.3.0", TaxIncluded.YES)


def test_limits_of_both_versions_are_one() -> None:
    old = parse_tariff(document(min_price={"excl_vat": 4, "incl_vat": 5}))
    new = parse_tariff(document(min_price={"before_taxes": 4, "after_taxes": 5}, tax_included="NO"))
    assert old.min_price == new.min_price


def test_numbers_are_exact_however_they_are_written() -> None:
    text = b'{"id":"T","currency":"SEK","elements":[{"price_components":[{"type":"ENERGY","price":%s}]}]}'
    prices = [parse_tariff(text % each).elements[0].price_components[0].price for each in (b"0.1", b'"0.1"', b"1e-1")]
    assert prices == [Decimal("0.1")] * 3


def test_nulls_and_missing_fields_say_nothing() -> None:
    component = {"type": "ENERGY", "price": 1, "vat": None, "step_size": None}
    tariff = parse_tariff(document(elements=[{"price_components": [component], "restrictions": None}], min_price=None))
    assert tariff.elements[0].price_components[0].vat is None


def test_an_instant_without_a_zone_is_utc() -> None:
    tariff = parse_tariff(document(start_date_time="2026-01-01T00:00:00"))
    assert tariff.start_date_time == datetime(2026, 1, 1, tzinfo=UTC)


def test_restrictions_are_read_and_unknown_ones_set_aside() -> None:
    given = {"start_date": "2026-05-01", "day_of_week": ["MONDAY"], "moon": "full", "sun": None}
    read = parse_tariff(restricted(**given)).elements[0].restrictions
    assert read
    assert (read.start_date, read.day_of_week, read.unknown) == (date(2026, 5, 1), (Weekday.MONDAY,), ("moon",))


def test_our_own_object() -> None:
    terms = {"per_min": "2.00", "grace_s": 900, "cap": 100, "until": "unplug", "exempt": [{"start_time": "22:00"}]}
    idle = parse_tariff(document(laddbok={"idle": terms})).laddbok.idle
    assert idle
    assert (idle.per_min, idle.grace_s, idle.cap, idle.until) == (2, 900, 100, IdleUntil.UNPLUG)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"id": "T", "elements": []}, "currency"),
        (document(currency="kr"), "currency"),
        (document(elements=[]), "elements"),
        (document(elements="all"), "elements"),
        (document(tax_included="MAYBE"), "tax_included"),
        (document(start_date_time="yesterday"), "start_date_time"),
        (document(min_price={"excl_vat": 2, "incl_vat": 2}, max_price={"excl_vat": 3, "incl_vat": 1}), "min_price"),
        (document(min_price=3), "min_price"),
        (document(laddbok={"spot": {}}), "laddbok"),
        (document(laddbok={"idle": {"per_min": -1}}), "laddbok.idle.per_min"),
        (document(laddbok={"idle": {"per_min": 1, "grace": 5}}), "laddbok.idle"),
        (document(laddbok={"idle": {"per_min": 1, "exempt": [{"start_time": "9"}]}}), "laddbok.idle.exempt[0].start_time"),
        (priced(type="HEAT"), "elements[0].price_components[0].type"),
        (priced(price="free"), "elements[0].price_components[0].price"),
        (priced(price="NaN"), "elements[0].price_components[0].price"),
        (priced(price="1e12"), "elements[0].price_components[0].price"),
        (priced(vat=-1), "elements[0].price_components[0].vat"),
        (priced(vat=101), "elements[0].price_components[0].vat"),
        (priced(step_size=-1), "elements[0].price_components[0].step_size"),
        (priced(step_size=1.5), "elements[0].price_components[0].step_size"),
        (restricted(start_time="25:00"), "elements[0].restrictions.start_time"),
        (restricted(min_kwh=-1), "elements[0].restrictions.min_kwh"),
        (restricted(day_of_week=["FREDAG"]), "elements[0].restrictions.day_of_week[0]"),
        (restricted(start_date="2026-13-01"), "elements[0].restrictions.start_date"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_tariff(wrong)
    assert caught.value.field == field


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"nul"])
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid, match=r"^tariff: "):
        parse_tariff(text)
