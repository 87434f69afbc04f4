"""Does a price look from outside as it was computed?"""

from datetime import UTC, datetime, timedelta

from laddbok.api.price_view import finding_view, price_view
from laddbok.api.session_view import TariffRef
from laddbok.model.cdr import Reservation
from laddbok.model.rated import Finding, FindingCode
from laddbok.rating.rate import rate
from tests.rules.rating.building import CHARGING, element, session, tariff

NOON = datetime(2026, 5, 8, 12, tzinfo=UTC)


def test_reserved_time_is_shown_in_seconds_at_a_price_per_hour() -> None:
    held = Reservation(start_at=NOON - timedelta(minutes=10), end_at=NOON)
    reserved = element({"reservation": "RESERVATION"}, FLAT=5, TIME=12)
    rating = rate(session(NOON, (60, CHARGING, 10_000), reservation=held), tariff(reserved, element(ENERGY=3)))
    view = price_view(rating, TariffRef("T", 1), NOON, final=True)
    assert [(line.dimension, line.quantity, line.unit, line.price_unit) for line in view.lines] == [
        ("reservation_flat", 1, "1", "session"), ("reservation_time", 600, "s", "h"), ("energy", 10_000, "Wh", "kWh")
    ]  # fmt: skip


def test_every_finding_has_words_of_its_own_in_swedish() -> None:
    english = "as it was found"
    texts = [finding_view(Finding(code, "", english)).text.sv for code in FindingCode]
    assert english not in texts and len({*texts}) == len(texts)
