"""Do prices come from the open API exactly, or not at all? A real HTTP server answers, well and badly."""

import asyncio
import gzip
import json
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from laddbok.model.errors import Invalid
from laddbok.model.market_prices import PriceQuote, missing_of, quarters_of
from laddbok.wires import price_feeds
from laddbok.wires.price_feeds import FeedDown, PriceFeed, read_answer
from tests.edge.price_source import Answer, PriceSource, body, price_source, rows_of, status

DAY = date(2026, 5, 4)
PATH = "/prices/2026/05-04_SE3.json"


@pytest.fixture
def source() -> Iterator[PriceSource]:
    with price_source() as running:
        yield running


def fetch(source: PriceSource, day: date = DAY, zone: str = "SE3") -> list[PriceQuote] | None:
    return asyncio.run(PriceFeed(source.url + "/").day(zone, day))


@pytest.mark.parametrize(
    ("day", "minutes", "rows"),
    [
        (date(2026, 5, 4), 15, 96),
        (date(2025, 5, 4), 60, 24),
        (date(2025, 3, 30), 60, 23),
        (date(2024, 10, 27), 60, 25),
        (date(2026, 3, 29), 15, 92),
        (date(2026, 10, 25), 15, 100),
    ],
)
def test_B1_a_day_comes_whole_by_the_hour_and_by_the_quarter(
    source: PriceSource, day: date, minutes: int, rows: int
) -> None:
    source.publish("SE3", day, rows_of(day, minutes))
    quotes = fetch(source, day)
    assert quotes is not None and len(quotes) == 2 * rows
    assert source.asked == [f"/prices/{day.year}/{day:%m-%d}_SE3.json"]
    for currency, price in (("SEK", "0.51234"), ("EUR", "0.0446")):
        own = [quote for quote in quotes if quote.currency == currency]
        assert {(quote.zone, quote.minutes, str(quote.per_kwh)) for quote in own} == {("SE3", minutes, price)}
        quarters = [start_s for quote in own for start_s in quote.quarters]
        assert quarters == [*quarters_of(day)]


def test_what_is_not_published_yet_is_nothing(source: PriceSource) -> None:
    assert fetch(source) is None


def test_hours_that_the_answer_lacks_stay_gaps(source: PriceSource) -> None:
    rows = rows_of(DAY, 60)
    source.publish("SE3", DAY, rows[:5] + rows[7:])
    known = {start_s for quote in fetch(source) or () for start_s in quote.quarters}
    assert missing_of(quarters_of(DAY), known) == [*quarters_of(DAY)[20:28]]


def test_every_digit_of_a_price_is_kept(source: PriceSource) -> None:
    text = json.dumps(rows_of(DAY, 15)).replace("0.51234", "-0.100000000001").encode()
    source.answers[PATH] = body(text)
    assert (fetch(source) or [])[0].per_kwh == Decimal("-0.100000000001")


def moved(change: Any, at: int = 3) -> list[dict[str, Any]]:
    """The rows of the day, one of them changed."""
    rows = rows_of(DAY, 60)
    rows[at] = {**rows[at], **change}
    return rows


BAD = {
    "an answer that ends early": (json.dumps(rows_of(DAY, 60)).encode()[:-30], "answer: it is no JSON"),
    "NaN": (json.dumps(moved({"SEK_per_kWh": float("nan")})).encode(), "answer: it is no JSON"),
    "NaN as text": (json.dumps(moved({"SEK_per_kWh": "NaN"})).encode(), r"\[3\]: SEK_per_kWh: 'NaN'"),
    "nothing for a price": (json.dumps(moved({"EUR_per_kWh": None})).encode(), r"\[3\]: EUR_per_kWh: 'None'"),
    "a price that is no price": (json.dumps(moved({"SEK_per_kWh": True})).encode(), r"\[3\]: SEK_per_kWh: 'True'"),
    "no start": (json.dumps(moved({"time_start": ""})).encode(), r"\[3\]: time_start: '' is no instant"),
    "no length": (json.dumps(moved({"time_end": rows_of(DAY, 60)[3]["time_start"]})).encode(), r"\[3\]: minutes: 0"),
    "half a minute": (json.dumps(moved({"time_end": "2026-05-04T03:59:30+02:00"})).encode(), r"\[3\]: time_end"),
    "a row twice": (
        json.dumps([*rows_of(DAY, 60), rows_of(DAY, 60)[7]]).encode(),
        r"\[24\]: its time is that of \[7\]",
    ),
    "a quarter in an hour": (json.dumps([*rows_of(DAY, 60), rows_of(DAY, 15)[30]]).encode(), r"\[24\]: .* \[7\]"),
    "another day": (
        json.dumps(rows_of(date(2026, 5, 5), 60)).encode(),
        r"\[0\]: time_start: it is not within 2026-05-04",
    ),
    "an hour of another day": (
        json.dumps([*rows_of(DAY, 60), rows_of(date(2026, 5, 5), 60)[0]]).encode(),
        r"\[24\]: time_start: it is not within",
    ),
    "no list": (b'{"error": "busy"}', "answer: it is no list"),
    "no objects": (b"[1, 2]", "answer: it is no list of objects"),
    "no JSON": (b"<html>", "answer: it is no JSON"),
    "deep": (b"[" * 100_000, "answer: it is no JSON"),
    "nothing": (b"", "answer: it is no JSON"),
}


@pytest.mark.parametrize("what", BAD)
def test_an_answer_that_cant_be_used_is_named_and_nothing_of_it_is_taken(source: PriceSource, what: str) -> None:
    content, message = BAD[what]
    source.answers[PATH] = body(content)
    with pytest.raises(Invalid, match=message):
        fetch(source)


def silent(request: Any) -> None:
    time.sleep(1.0)
    status(200)(request)


DOWN: dict[str, tuple[Answer, str]] = {
    "a body that is shorter than it said": (body(b"[{", length=5_000), "without sending complete message body"),
    "an error": (status(503), "status 503"),
    "another address": (status(302, Location="/prices/elsewhere.json"), "status 302"),
    "packed": (body(gzip.compress(json.dumps(rows_of(DAY, 60)).encode()), Content_Encoding="gzip"), "plain JSON"),
    "endless": (body(b" " * (price_feeds.MAX_ANSWER_BYTES + 1)), "more than 1048576 bytes"),
    "silence": (silent, "Timeout"),
}


@pytest.mark.parametrize("what", DOWN)
def test_a_source_that_does_not_answer_well_is_down(
    source: PriceSource, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_feeds, "SILENCE_S", 0.3 if what == "silence" else 10.0)
    source.answers[PATH], message = DOWN[what]
    with pytest.raises(FeedDown, match=message):
        fetch(source)
    assert source.asked == [PATH], "it is not followed elsewhere"


def test_a_source_that_drips_has_no_more_time_than_all_others(
    source: PriceSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_feeds, "ANSWER_S", 0.4)

    def drip(request: Any) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        for _ in range(8):
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.1)
        request.close_connection = True

    source.answers[PATH] = drip
    with pytest.raises(FeedDown, match="TimeoutError"):
        fetch(source)


def test_a_source_that_is_not_there_is_down() -> None:
    with price_source() as gone:
        pass
    with pytest.raises(FeedDown, match="connection"):
        fetch(gone)


def test_a_zone_is_no_path(source: PriceSource) -> None:
    with pytest.raises(Invalid, match="zone"):
        fetch(source, zone="../../SE3")
    assert source.asked == []


def test_one_answer_is_read_alike_each_time() -> None:
    content = json.dumps(rows_of(DAY, 15)).encode()
    assert read_answer(content, "SE3", DAY) == read_answer(content, "SE3", DAY)
