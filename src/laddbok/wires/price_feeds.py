"""How do day-ahead prices come in?

From a file, CSV or gzipped CSV, with the columns `zone`, `start_utc`, `minutes` and one `CUR_per_kWh` for each currency CUR.
Or from an open API that gives a zone's day as JSON, as elprisetjustnu.se does. Either is read whole before anything of it
is used, and within limits of size and time.

>>> address("https://www.elprisetjustnu.se/api/v1/prices", "SE3", date(2026, 5, 4))
'https://www.elprisetjustnu.se/api/v1/prices/2026/05-04_SE3.json'
"""

import asyncio
import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from laddbok.model.errors import Invalid, LaddbokError
from laddbok.model.market_prices import PriceQuote, checked_zone, quarters_of
from laddbok.wires.importers.session_file import bounded_lines, unpacked_file
from laddbok.wires.price_rows import PRICE_COLUMN, Stated, at, quotes_of

KEYS = ("zone", "start_utc", "minutes")
CURRENCIES: tuple[str, ...] = ("SEK", "EUR")
"""What the API quotes in."""
MAX_ANSWER_BYTES = 1 << 20
"""A day of quarter hours has 20 kB."""
ANSWER_S = 30.0
"""For the whole answer."""
SILENCE_S = 10.0

_as_written = msgspec.json.Decoder(float_hook=str)
"""Fractions stay the text that they were: prices are exact."""


class FeedDown(LaddbokError):
    """The source of prices can't be reached, or answers something else than prices; later it may be there again."""


class PriceFeed:
    """The open API. `url` is its address, `source` the name that prices from it are kept under."""

    currencies = CURRENCIES

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self.source = urlsplit(url).hostname or url

    async def day(self, zone: str, day: date) -> list[PriceQuote] | None:
        """What the market's day costs in a zone; None: it is not published. Hours may be missing.

        Raises: FeedDown: not there, or no answer in time. Invalid: the answer is not prices of that day.
        """
        checked_zone(zone, "zone")
        body = await _fetched(address(self._url, zone, day))
        return None if body is None else read_answer(body, zone, day)


def address(url: str, zone: str, day: date) -> str:
    """Where the API has a zone's day. Source: https://www.elprisetjustnu.se/elpris-api."""
    return f"{url}/{day:%Y/%m-%d}_{zone}.json"


def read_answer(body: bytes, zone: str, day: date) -> list[PriceQuote]:
    """The prices in an answer of the API.

    Raises: Invalid: no JSON of that shape, a row that can't be read, a price of another day.
    """
    try:
        rows = _as_written.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid("answer", f"it is no JSON: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Invalid("answer", "it is no list of objects")
    quotes = quotes_of(_stated(row, f"[{number}]", zone) for number, row in enumerate(rows))
    within = quarters_of(day)
    for number, quote in enumerate(quotes):
        if quote.quarters[0] not in within or quote.quarters[-1] not in within:
            raise Invalid(f"[{number // len(CURRENCIES)}]: time_start", f"it is not within {day}")
    return quotes


def read_price_file(path: Path) -> list[PriceQuote]:
    """The prices in a file.

    Raises: Invalid: there is no such file, it is damaged, it has other columns, or a row can't be read.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise Invalid(str(path), error.strerror or str(error)) from error
    with raw:
        return quotes_of(_csv_rows(bounded_lines(unpacked_file(raw))))


def _csv_rows(lines: Iterator[str]) -> Iterator[Stated]:
    reader = csv.reader(lines, strict=True)
    try:
        columns = next(reader, [])
        currencies = _currencies(columns)
        for values in filter(None, reader):
            where = f"line {reader.line_num}"
            if len(values) != len(columns):
                raise Invalid(where, f"{len(values)} values for {len(columns)} columns")
            row = dict(zip(columns, values, strict=True))
            minutes = int(row["minutes"]) if row["minutes"] in ("15", "60") else 0
            if not minutes:
                raise Invalid(f"{where}: minutes", f"{row['minutes']!r} is neither 15 nor 60")
            prices = {currency: row[column] for column, currency in currencies.items()}
            yield Stated(where, row["zone"], at(row["start_utc"], f"{where}: start_utc"), minutes, prices)
    except csv.Error as error:
        raise Invalid(f"line {reader.line_num}", str(error)) from error


def _currencies(columns: list[str]) -> dict[str, str]:
    """The currency of each price column. Raises: Invalid when the columns are not those of a file of prices."""
    prices = {name: found[1] for name in columns if (found := PRICE_COLUMN.fullmatch(name))}
    if not prices or sorted(columns) != sorted((*KEYS, *prices)):
        shown = ", ".join(columns)[:300] or "(none)"
        raise Invalid("header", f"it must have {', '.join(KEYS)} and CUR_per_kWh for each currency CUR, not: {shown}")
    return prices


def _stated(row: dict[str, Any], where: str, zone: str) -> Stated:
    start_at, end_at = (at(str(row.get(name)), f"{where}: {name}") for name in ("time_start", "time_end"))
    minutes, rest = divmod(end_at - start_at, timedelta(minutes=1))
    if rest:
        raise Invalid(f"{where}: time_end", "it is not 15 or 60 minutes after time_start")
    prices = {currency: str(row.get(f"{currency}_per_kWh")) for currency in CURRENCIES}
    return Stated(where, zone, start_at, minutes, prices)


async def _fetched(url: str) -> bytes | None:
    """The body at an address; None: there is none (404)."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    timeout = httpx.Timeout(SILENCE_S)
    try:
        async with (
            asyncio.timeout(ANSWER_S),
            httpx.AsyncClient(timeout=timeout, follow_redirects=False, headers=headers) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            if answer.status_code != httpx.codes.OK or "Content-Encoding" in answer.headers:
                raise FeedDown(f"{url} answers with status {answer.status_code}, and not with plain JSON")
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > MAX_ANSWER_BYTES:
                    raise FeedDown(f"{url} answers with more than {MAX_ANSWER_BYTES} bytes")
            return bytes(body)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
        raise FeedDown(f"{url}: {str(error) or type(error).__name__}") from error
