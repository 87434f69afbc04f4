"""Are tariffs read as they are in the wild, and refused with the field that is wrong?"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from laddbok.model.errors import Invalid
from laddbok.model.superset import IdleUntil, Weekday
from laddbok.model.tariff import TaxIncluded, parse_tariff

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
        (document(end_date_time="9999-12-31T23:59:59-12:00"), "end_date_time"),
        (document(min_price={"excl_vat": 2, "incl_vat": 2}, max_price={"excl_vat": 3, "incl_vat": 1}), "min_price"),
        (document(min_price=3), "min_price"),
        (document(laddbok={"spots": {}}), "laddbok"),
        (document(laddbok={"idle": {"per_min": -1}}), "laddbok.idle.per_min"),
        (document(laddbok={"idle": {"per_min": 1, "grace": 5}}), "laddbok.idle"),
        (document(laddbok={"idle": {"per_min": 1, "exempt": [{"start_time": "9"}]}}), "laddbok.idle.exempt[0].start_time"),
        (priced(type="HEAT"), "elements[0].price_components[0].type"),
        (priced(price="free"), "elements[0].price_components[0].price"),
        (priced(price="NaN"), "elements[0].price_components[0].price"),
        (priced(price="1e12"), "elements[0].price_components[0].price"),
        (priced(price="1e9999999"), "elements[0].price_components[0].price"),
        (priced(price="1e-9999999"), "elements[0].price_components[0].price"),
        (priced(price="0e9999999"), "elements[0].price_components[0].price"),
        (priced(price="1e99999999999999999999"), "elements[0].price_components[0].price"),
        (priced(price="1_0"), "elements[0].price_components[0].price"),
        (priced(price=" 1"), "elements[0].price_components[0].price"),
        (priced(price="\u0661"), "elements[0].price_components[0].price"),
        (priced(vat="2_5"), "elements[0].price_components[0].vat"),
        (priced(step_size="1_0"), "elements[0].price_components[0].step_size"),
        (document(laddbok={"idle": {"per_min": "1_0"}}), "laddbok.idle.per_min"),
        (document(max_price={"excl_vat": "1_0"}), "max_price.before_taxes"),
        (priced(vat=-1), "elements[0].price_components[0].vat"),
        (priced(vat=101), "elements[0].price_components[0].vat"),
        (priced(step_size=-1), "elements[0].price_components[0].step_size"),
        (priced(step_size=1.5), "elements[0].price_components[0].step_size"),
        (restricted(start_time="25:00"), "elements[0].restrictions.start_time"),
        (restricted(min_kwh=-1), "elements[0].restrictions.min_kwh"),
        (restricted(day_of_week=["FREDAG"]), "elements[0].restrictions.day_of_week[0]"),
        (restricted(start_date="2026-13-01"), "elements[0].restrictions.start_date"),
        (document(elements=[{"price_components": [{"type": "FLAT", "price": 1}] * 2_001}] * 2), "elements"),
        (document(laddbok={"idle": {"per_min": 1, "exempt": [{}] * 1_001}}), "laddbok.idle.exempt"),
        (document(elements=[], laddbok={"spot": {"zone": "SE3", "grid": [{"per_kwh": 1}] * 1_001}}), "laddbok.spot.grid"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_tariff(wrong)
    assert caught.value.field == field


@pytest.mark.parametrize("number", [b"1e9999999", b"-1e9999999", b"1e99999999999999999999", b"0e9999999"])
def test_a_number_of_json_that_is_too_large_is_named(number: bytes) -> None:
    text = b'{"id":"T","currency":"SEK","elements":[{"price_components":[{"type":"ENERGY","price":%s}]}]}'
    with pytest.raises(Invalid) as caught:
        parse_tariff(text % number)
    assert caught.value.field == "elements[0].price_components[0].price"


def test_a_number_in_text_is_one_that_the_database_writes_alike() -> None:
    text = b'{"id":"T","currency":"SEK","elements":[{"price_components":[{"type":"ENERGY","price":"%s"}]}]}'
    assert parse_tariff(text % b"1E-7").elements[0].price_components[0].price == Decimal("0.0000001")
    with pytest.raises(Invalid, match="not a number") as caught:
        parse_tariff(text % b"1E+1")
    assert caught.value.field == "elements[0].price_components[0].price"


@pytest.mark.parametrize(
    ("least", "most", "vats", "tax", "field"),
    [
        ((10, None), (11, 12), [25], "NO", "min_price"),
        ((10, None), (11, "12.50"), [25], "NO", None),
        ((10, None), (11, 12), [6, 25], "NO", None),
        ((10, None), (11, 12), [None], "NO", None),
        ((13, None), (20, 12), [None], "NO", "max_price"),
        ((13, None), (13, 13), [25], "NO", "min_price"),
        ((1, 20), (12, None), [25], "YES", "min_price"),
        ((1, 15), (12, None), [25], "YES", None),
        ((1, 20), (12, None), [6, 70], "YES", None),
        ((1, 20), (9, None), [None], "YES", "min_price"),
        ((1, 20), (10, None), [None], "YES", None),
        ((1, 20), (19, None), [25], "N/A", "min_price"),
        ((12, 10), None, [25], "NO", "min_price"),
        (None, (12, 10), [25], "NO", "max_price"),
    ],
)
def test_limits_that_no_session_can_keep_are_refused(
    least: Any, most: Any, vats: list[int | None], tax: str, field: str | None
) -> None:
    components = [{"type": "ENERGY", "price": 1} | ({} if vat is None else {"vat": vat}) for vat in vats]
    limits = {
        name: {"before_taxes": given[0]} | ({} if given[1] is None else {"after_taxes": given[1]})
        for name, given in (("min_price", least), ("max_price", most))
        if given
    }
    wanted = document(elements=[{"price_components": components}], tax_included=tax, **limits)
    if field is None:
        assert parse_tariff(wanted).max_price
        return
    with pytest.raises(Invalid) as caught:
        parse_tariff(wanted)
    assert caught.value.field == field


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"nul"])
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid, match=r"^tariff: "):
        parse_tariff(text)


@pytest.mark.parametrize("text", [b'{"id": "\xff"}', b'{"id": "\xed\xa0\x80"}', '{"id": "1"}'.encode("utf-16")])
def test_text_that_is_not_UTF_8_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid, match=r"^tariff: is not JSON"):
        parse_tariff(text)
