"""How does `laddbok rates` run?

Exchange rates are everybody's: those that come in are kept for every tenant.
"""

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from laddbok import app
from laddbok.settings import Settings
from laddbok.store.exchange_rates import read_rates
from laddbok.store.late_rates import take_in
from laddbok.store.sql import query
from laddbok.verbs.books import opened
from laddbok.wires.exchange_rates import read_rate_file


def add_rates_verbs(
    add: Callable[..., argparse.ArgumentParser], commands: Any, settings: Callable[[], Settings]
) -> None:
    """`laddbok rates`: the arguments of its verbs. Args: settings, reads them when a verb runs."""

    def bring(options: argparse.Namespace) -> Any:
        return app.run(import_file(settings(), options.file, options.json))

    def tell(options: argparse.Namespace) -> Any:
        return app.run(show(settings(), options.currency, options.first, options.last, options.json))

    rates = commands.add_parser("rates", help="exchange rates")
    kinds = rates.add_subparsers(required=True, metavar="WHAT")
    add("import", bring, "the reference rates of the European Central Bank, from its XML or CSV", kinds).add_argument(
        "file"
    )
    shown = add("show", tell, "the exchange rates of a currency, the newest first", kinds)
    shown.add_argument("--currency", metavar="CODE", default="SEK")
    shown.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DAY", default=None)
    shown.add_argument("--to", dest="last", type=date.fromisoformat, metavar="DAY", default=None, help="the last day")


async def import_file(settings: Settings, file: str, as_json: bool) -> dict[str, Any]:
    """Keep the exchange rates in a file. Returns: the counts. Raises: Invalid: something in it can't be read; nothing is kept."""
    rates = read_rate_file(Path(file))
    async with opened(settings) as (connection, _):
        tenants = [row["tenant"] for row in await connection.fetch(query("all_tenants"))]
        kept, booked = await take_in(connection, tenants, rates, settings.clock.now())
    counts = {"rates": len(rates), **msgspec.structs.asdict(kept), "booked": booked}
    if not as_json:
        for name, value in counts.items():
            print(f"{name:20} {value}")
    return counts


async def show(
    settings: Settings, currency: str, first: date | None, last: date | None, as_json: bool
) -> dict[str, Any]:
    """The rates of a currency that are kept, the newest first."""
    async with opened(settings) as (connection, tenant):
        rates = await read_rates(connection, tenant, (currency,), first, last)
    if not as_json:
        for each in rates:
            print(f"{each.day}  1 {each.base} = {each.rate} {each.currency}  {each.source}")
    return {"currency": currency, "rates": [msgspec.structs.asdict(each) for each in rates]}
