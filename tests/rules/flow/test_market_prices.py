"""Does a session at the spot price wait for the market, and stay provable when the market's table says something else later?"""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from laddbok.flow.charge_to_cash import CORRECTION_HELD, running_price
from laddbok.flow.market_prices import MARKET_PRICES
from laddbok.flow.rebuild import rebuild
from laddbok.model.market_prices import PriceQuote
from laddbok.model.session import SessionState, VerdictKind
from laddbok.model.tariff import parse_tariff
from laddbok.workers.settle import Settler
from tests.rules.flow.test_recheck import changed, checked, file_of
from tests.rules.sessions.people import decides
from tests.rules.sessions.stage import NOON, Stage, step

SPOT = {"zone": "SE3", "markup": "0.05", "grid": [{"per_kwh": "0.25"}], "energy_tax": [{"per_kwh": "0.36"}], "vat": 25}
TARIFF = json.dumps({"id": "T", "currency": "SEK", "laddbok": {"spot": SPOT}}).encode()


def a_charge() -> Stage:
    """4 kWh in twenty minutes from noon on, which is two quarters of the market."""
    stage = Stage(tariff=TARIFF)
    stage.starts_16(1000)
    stage.reads_16(4000, after_s=840)
    stage.stops_16(5000, after_s=360)
    return stage


def market_says(stage: Stage, *per_kwh: str) -> None:
    quotes = [
        PriceQuote(
            zone="SE3",
            currency="SEK",
            start_s=int((NOON + n * timedelta(minutes=15)).timestamp()),
            minutes=15,
            per_kwh=Decimal(price),
        )
        for n, price in enumerate(per_kwh)
    ]
    step(stage.store.keep_prices([1], quotes, "test", stage.now))


def worked_once(stage: Stage) -> datetime | None:
    """The job of settling, done once. Returns: when it is to be done again."""
    stage.now += timedelta(minutes=1)
    [leased] = [each for each in step(stage.store.take_jobs("worker", stage.now, 8)) if each.job.kind == "settle"]
    again_at = step(Settler(stage.store, lambda: stage.now)(leased))
    step(stage.store.finish_job(leased, again_at))
    return again_at


def test_B37_a_session_waits_for_a_missing_quarter_and_is_settled_when_it_is_there() -> None:
    stage = a_charge()
    market_says(stage, "1.00")
    again_at = worked_once(stage)
    assert again_at == stage.now + timedelta(minutes=15)
    assert stage.session().state is SessionState.ENDED
    assert not stage.store.cdrs
    market_says(stage, "1.00", "-0.32")
    session = stage.settle()
    assert session.state is SessionState.SETTLED
    lines = [(line.price, line.excl_vat) for line in stage.rating().lines]
    assert [price for price, _ in lines] == [Decimal("1.66"), Decimal("0.34")]
    assert stage.rating().excl_vat == sum(amount or 0 for _, amount in lines)


def test_the_prices_are_on_record_and_a_later_table_changes_nothing() -> None:
    stage = a_charge()
    market_says(stage, "1.00", "2.00")
    stage.settle()
    [record] = [d for d in stage.evidence(stage.session()).decisions if d.kind == MARKET_PRICES]
    assert record.body["prices"] == {"2026-03-02T12:00:00Z": "1.00", "2026-03-02T12:15:00Z": "2.00"}
    market_says(stage, "9.00", "9.00")
    assert rebuild(stage.evidence(stage.session())) == ()
    assert checked(file_of(stage)).differences == ()


def test_a_changed_market_price_in_a_file_is_named() -> None:
    stage = a_charge()
    market_says(stage, "1.00", "2.00")
    stage.settle()

    def cheaper(plain: Any) -> None:
        [record] = [each for each in plain["decisions"] if each["kind"] == MARKET_PRICES]
        record["body"]["prices"]["2026-03-02T12:15:00Z"] = "1.99"

    told = [each.what for each in checked(changed(file_of(stage), cheaper)).differences]
    assert "decision" in told and "rating" in told


@pytest.mark.parametrize("broken", ["NaN", "1_0", "", "1e999999"])
def test_a_broken_market_price_in_a_file_is_one_line(broken: str) -> None:
    stage = a_charge()
    market_says(stage, "1.00", "2.00")
    stage.settle()

    def spoilt(plain: Any) -> None:
        [record] = [each for each in plain["decisions"] if each["kind"] == MARKET_PRICES]
        record["body"]["prices"]["2026-03-02T12:15:00Z"] = broken

    assert checked(changed(file_of(stage), spoilt)).differences


def test_a_late_stop_asks_for_the_quarters_that_it_adds() -> None:
    """Closed softly at its last reading, then the real stop comes: credit and new, at the market's price of its quarter."""
    stage = Stage(tariff=TARIFF)
    stage.starts_16(1000)
    stage.reads_16(4000, after_s=840)
    market_says(stage, "1.00", "2.00", "3.00")
    stage.waits(hours=30)
    stage.settle()
    [issued] = stage.store.cdrs.values()
    assert issued.rating.lines[-1].price == Decimal("1.66")
    stage.says_16(
        "StopTransaction",
        {"transactionId": 1, "meterStop": 6000, "timestamp": "2026-03-02T12:25:00Z", "reason": "Local"},
    )
    stage.settle()
    kinds = [(each.kind, each.cdr.revision) for each in stage.store.cdrs.values()]
    assert kinds == [("cdr", 1), ("credit", 1), ("cdr", 2)]
    last = list(stage.store.cdrs.values())[-1]
    assert last.cdr.energy_wh == 5_000
    assert {line.price for line in last.rating.lines} == {Decimal("1.66"), Decimal("2.66")}
    assert rebuild(stage.evidence(stage.session())) == ()


def test_a_correction_that_a_person_must_see_does_not_wait_for_the_market() -> None:
    stage = Stage(tariff=TARIFF)
    stage.starts_16(1000)
    stage.reads_16(4000, after_s=840)
    market_says(stage, "1.00")
    stage.waits(hours=30)
    accepted = decides(stage, stage.settle(), VerdictKind.ACCEPT)
    stage.stops_16(6000, timestamp="2026-03-02T12:25:00Z")
    assert stage.settle() == accepted
    assert stage.evidence(accepted).decisions[-1].kind == CORRECTION_HELD
    assert rebuild(stage.evidence(accepted)) == ()


def test_a_running_session_shows_what_is_pending() -> None:
    stage = Stage(tariff=TARIFF)
    stage.starts_16(1000)
    stage.reads_16(4000, after_s=840)
    rating = running_price(stage.session(), parse_tariff(TARIFF), stage.now)
    assert (rating.excl_vat, rating.final, [line.pending for line in rating.lines]) == (None, False, [True])
    market_says(stage, "1.00")
    prices = step(stage.store.spot_prices(1, "SE3", "SEK", NOON, stage.now))
    assert running_price(stage.session(), parse_tariff(TARIFF), stage.now, prices).excl_vat == Decimal("4.98")
