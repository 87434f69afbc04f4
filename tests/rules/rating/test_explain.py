"""Do rated lines explain themselves, in both languages?"""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from laddbok.model.cdr import Cdr, Reservation
from laddbok.model.rated import LineKind
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.examples import HOUR, spot_prices, spot_tariff
from laddbok.rating.explain import LANGUAGES, explain, name
from laddbok.rating.rate import rate
from tests.rules.rating.building import CHARGING, IDLE, element, idle, session, tariff

CDR = session("2026-05-08T08:00", (75, CHARGING, 12_345), (40, IDLE, 0))
RESERVATION_PRICES = [("RESERVATION_EXPIRES", {"FLAT": 4}), ("RESERVATION", {"TIME": (2, 600)})]
MOST = {"max_price": {"excl_vat": 8, "incl_vat": 10}}
SLOW = session("2026-05-08T08:00", (75, CHARGING, 12_345), (40.5, IDLE, 0))


@pytest.mark.parametrize(
    ("cdr", "compiled", "english", "swedish"),
    [
        (CDR, tariff(element(ENERGY=3.2)), "12.345 kWh x 3.20 kr/kWh", "12,345 kWh x 3,20 kr/kWh"),
        (CDR, tariff(element(ENERGY=3.992)), "12.345 kWh x 3.992 kr/kWh", "12,345 kWh x 3,992 kr/kWh"),
        (CDR, tariff(element(FLAT=5)), "1 x 5.00 kr", "1 x 5,00 kr"),
        (CDR, tariff(element(TIME=12)), "1 h 15 min x 12.00 kr/h", "1 h 15 min x 12,00 kr/h"),
        (
            CDR,
            tariff(element(PARKING_TIME=(20, 900))),
            "45 min x 20.00 kr/h (40 min, billed in steps of 15 min)",
            "45 min x 20,00 kr/h (40 min, debiteras i steg om 15 min)",
        ),
        (
            CDR,
            idle(2, grace_s=900),
            "25 min x 2.00 kr/min (after 15 min grace)",
            "25 min x 2,00 kr/min (efter 15 min utan avgift)",
        ),
        (SLOW, idle(2, cap=20), "40 min 30 s x 2.00 kr/min (capped)", "40 min 30 s x 2,00 kr/min (till takbeloppet)"),
        (
            CDR,
            tariff(element(ENERGY=9), **MOST),
            "down to the highest price of 8.00 kr",
            "ner till högsta pris 8,00 kr",
        ),
    ],
)
def test_the_last_line(cdr: Cdr, compiled: CompiledTariff, english: str, swedish: str) -> None:
    line = rate(cdr, compiled).lines[-1]
    assert (explain(line, "SEK"), explain(line, "SEK", "sv")) == (english, swedish)


def test_every_kind_has_a_name_in_every_language() -> None:
    line = rate(CDR, tariff(element(ENERGY=3.2))).lines[0]
    for language in LANGUAGES:
        names = {name(msgspec.structs.replace(line, kind=kind), language) for kind in LineKind}
        assert len(names) == len(LineKind) and all(names)
    assert line.excl_vat == Decimal("39.50")


NIGHT = {"start_time": "22:00", "end_time": "06:00", "day_of_week": ["SATURDAY"], "max_kwh": 30}


def test_the_conditions_of_a_price_are_told() -> None:
    document = {"id": "T", "currency": "SEK", "elements": [element(NIGHT, ENERGY=2)]}
    cdr = session("2026-05-09T23:00", (60, CHARGING, 5_000))
    line = rate(cdr, tariff(element(NIGHT, ENERGY=2))).lines[0]
    said = explain(line, "SEK", "sv", parse_tariff(document))
    assert said == "5 kWh x 2,00 kr/kWh (22:00 till 06:00, lör, upp till 30 kWh)"
    assert explain(line, "SEK", "en", parse_tariff(document)).endswith("(22:00 to 06:00, Sat, up to 30 kWh)")


def test_the_parts_of_a_spot_price_are_told() -> None:
    compiled = spot_tariff(markup="0.05", grid=[{"per_kwh": "0.25"}], energy_tax=[{"per_kwh": "0.36"}])
    line = rate(HOUR, compiled, prices=spot_prices("-0.32")).lines[0]
    parts = "market price -0.32 + markup 0.05 + grid fee 0.25 + energy tax 0.36; prices from example"
    assert explain(line, "SEK") == f"3.086 kWh x 0.34 kr/kWh ({parts}, partly estimated)"
    pending = rate(HOUR, compiled).lines[0]
    assert explain(pending, "SEK", "sv") == "3,086 kWh: marknadspriset är inte känt än"


def test_a_reservation_is_told_as_one() -> None:
    fee, time = (element({"reservation": kind}, **price) for kind, price in RESERVATION_PRICES)
    document = {"id": "T", "currency": "SEK", "elements": [fee, time]}
    held = Reservation(start_at=CDR.started_at, end_at=CDR.started_at + timedelta(minutes=22), expired=True)
    priced = rate(session("2026-05-08T08:00", reservation=held), tariff(fee, time))
    told = [[explain(x, "SEK", language, parse_tariff(document)) for x in priced.lines] for language in ("en", "sv")]
    assert told == [
        ["1 x 4.00 kr (the reservation expired)", "30 min x 2.00 kr/h (reserved, 22 min, billed in steps of 10 min)"],
        ["1 x 4,00 kr (bokningen förföll)", "30 min x 2,00 kr/h (bokad, 22 min, debiteras i steg om 10 min)"],
    ]
