"""A source of day-ahead prices over real HTTP, in the shape of elprisetjustnu.se, with what can go wrong at one."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from zoneinfo import ZoneInfo

from laddbok.model.market_prices import quarters_of
from tests.edge.web_server import Requests, serving

STOCKHOLM = ZoneInfo("Europe/Stockholm")
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class PriceSource:
    """Where it listens, what it answers at which path, and which paths were asked for."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, zone: str, day: date, rows: Any) -> None:
        """Give a zone's day."""
        self.answers[f"/prices/{day:%Y/%m-%d}_{zone}.json"] = body(json.dumps(rows).encode())


@contextmanager
def price_source() -> Iterator[PriceSource]:
    """A server on a free port that knows no day yet."""
    source = PriceSource("")

    class PriceRequests(Requests):
        def do_GET(self) -> None:
            source.asked.append(self.path)
            source.answers.get(self.path, status(404))(self)

    with serving(PriceRequests) as address:
        source.url = f"{address}/prices"
        yield source


def body(content: bytes, length: int | None = None, **headers: str) -> Answer:
    """An answer with this content. Args: length: what it says to be long, when that is another."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(content) if length is None else length))
        request.end_headers()
        request.wfile.write(content)
        request.close_connection = True

    return answer


def status(code: int, **headers: str) -> Answer:
    """An answer without content."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in {"Content-Length": "0", **headers}.items():
            request.send_header(name, value)
        request.end_headers()

    return answer


def rows_of(day: date, minutes: int, price: str = "0.51234") -> list[dict[str, Any]]:
    """A day as the API gives it: local times with their offset."""
    rows = []
    for at_s in quarters_of(day)[:: minutes // 15]:
        begin, end = (datetime.fromtimestamp(s, STOCKHOLM).isoformat() for s in (at_s, at_s + minutes * 60))
        prices = {"SEK_per_kWh": float(price), "EUR_per_kWh": 0.0446, "EXR": 11.4875}
        rows.append({**prices, "time_start": begin, "time_end": end})
    return rows
