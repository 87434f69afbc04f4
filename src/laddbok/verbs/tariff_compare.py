"""How does `laddbok tariff compare` run?

Sessions come from a file or from the stored CDRs, plans from tariff files or from what a contract is offered, and market
prices from a file or from the database. What they come to is `rating.compare_plans`.
"""

import argparse
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.market_prices import prices_of
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.tariff import Tariff, parse_tariff
from laddbok.rating.compare_plans import Comparison, compare, together
from laddbok.rating.local_time import zone_named
from laddbok.rating.other_years import moved, weeks_of
from laddbok.rating.plan_cost import Span, ZoneAndCurrency, months_between, plan_cost, whole_months
from laddbok.settings import Settings
from laddbok.verbs.tariff_compare_stored import Stored, open_stored
from laddbok.verbs.tariff_compare_text import answer_of, print_comparison
from laddbok.wires.ocpi_files import object_in
from laddbok.wires.price_feeds import read_price_file
from laddbok.wires.session_cdrs import Metered, read_metered

_DAY = timedelta(days=1)


class Plan(msgspec.Struct, frozen=True):
    """A tariff under the name that it is compared by."""

    name: str
    tariff: Tariff
    is_present: bool = False


class Window(msgspec.Struct, frozen=True):
    """The span of time in which the sessions ended, in the seller's zone; None: open."""

    start_at: datetime | None
    end_at: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in it."""
        return (self.start_at is None or at >= self.start_at) and (self.end_at is None or at < self.end_at)

    def around(self, weeks: int) -> tuple[datetime | None, datetime | None]:
        """Within which sessions ended that lie in it when they are moved on by so many weeks.

        What is moved keeps its wall time, so it may move an hour more or less: a day more on each side is enough.
        """
        by = timedelta(weeks=weeks)
        return self.start_at and self.start_at - by - _DAY, self.end_at and self.end_at - by + _DAY


async def run_compare(settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    """Compare and print. Returns: the object of --json.

    Raises: Invalid when there is nothing to compare, or something in the files can't be used.
    """
    zone = zone_named(options.time_zone or settings.time_zone)
    window = _window(options, zone)
    plans = _plans_in_files(options.tariff)
    async with _stored(settings, options, plans) as stored:
        sessions, rejected = await _sessions(options, stored, window, zone)
        plans += await _plans_on_offer(options, stored, settings.clock.now(), {plan.name for plan in plans})
        if not plans:
            raise Invalid("tariff", "needs --tariff FILE, or a contract that is offered plans")
        prices = await _prices(options, stored, plans, [session.cdr for session in sessions])
    contracts = _contracts(sessions, options.each_driver)
    found = [_compared(plans, each, zone, window, prices) for each in contracts]
    names = {session.cdr.session_id: session.name for session in sessions}
    answer = answer_of(together(found), found, {plan.name: plan.tariff.id for plan in plans}, names)
    answer |= {"time_zone": zone.key, "shift_weeks": weeks_of(options.shift_years), "rejected": rejected}
    answer["present"] = [plan.name for plan in plans if plan.is_present]
    if not options.json:
        print_comparison(answer, options.language)
    return answer


def _window(options: argparse.Namespace, zone: ZoneInfo) -> Window:
    first, last = options.from_date, options.to_date
    if first and last and last < first:
        raise Invalid("to", f"{last} is before {first}")
    if options.sessions is not None and options.contract is not None:
        raise Invalid("contract", "the sessions are those of the file, or those of a contract")
    if not (options.sessions or options.contract or first or last):
        raise Invalid("sessions", "needs --sessions FILE, --contract ID, or --from and --to")
    end = None if last is None else datetime.combine(last + _DAY, time(), zone)
    return Window(None if first is None else datetime.combine(first, time(), zone), end)


def _plan_of(options: argparse.Namespace) -> str | None:
    """The contract whose plans are compared: the one that is named, or whose sessions they are if no tariff is given."""
    plan_of: str | None = options.plan_of or (None if options.tariff else options.contract)
    return plan_of


def _stored(
    settings: Settings, options: argparse.Namespace, plans: Sequence[Plan]
) -> AbstractAsyncContextManager[Stored | None]:
    """The database, if anything of it is needed."""
    plan_of = _plan_of(options)
    asks_for_prices = options.prices is None and any(plan.tariff.laddbok.spot for plan in plans)
    if options.sessions is not None and plan_of is None and not asks_for_prices:
        return nullcontext(None)
    return open_stored(settings, [each for each in dict.fromkeys([options.contract, plan_of]) if each is not None])


async def _sessions(
    options: argparse.Namespace, stored: Stored | None, window: Window, zone: ZoneInfo
) -> tuple[list[Metered], dict[str, int]]:
    """The sessions to compare, moved if they are to be, and the rows that can't be used."""
    rejected: dict[str, int] = {}
    if options.sessions is None:
        assert stored is not None
        found = await stored.sessions(options.contract, *window.around(weeks_of(options.shift_years)))
    else:
        file = read_metered(Path(options.sessions), options.format, options.power_w, zone.key)
        found, rejected = file.sessions, file.rejected
    chosen = [each for each in found if options.driver is None or each.driver == options.driver]
    shifted = [msgspec.structs.replace(each, cdr=moved(each.cdr, options.shift_years)) for each in chosen]
    within = [each for each in shifted if window.holds(each.cdr.transaction_ended_at or each.cdr.started_at)]
    if not within:
        raise Invalid("sessions", "there is none to compare")
    return within, rejected


def _plans_in_files(paths: Sequence[str]) -> list[Plan]:
    """A plan is called by its tariff's id; where two have one id, the later by its file's name."""
    plans: list[Plan] = []
    for path in map(Path, paths):
        tariff = parse_tariff(object_in(path))
        is_taken = any(plan.name == tariff.id for plan in plans)
        plans.append(Plan(path.stem if is_taken else tariff.id, tariff))
    return plans


async def _plans_on_offer(
    options: argparse.Namespace, stored: Stored | None, now: datetime, taken: set[str]
) -> list[Plan]:
    """A plan is called as the driver reads it; where that is taken, by its tariff's id."""
    plan_of = _plan_of(options)
    if plan_of is None:
        return []
    assert stored is not None
    plans: list[Plan] = []
    for offer in await stored.offers(plan_of, now):
        name = offer.name_sv if options.language == "sv" else offer.name_en
        called = offer.tariff_id if name is None or name in taken else name
        taken.add(called)
        plans.append(Plan(called, parse_tariff(offer.document.encode()), offer.is_present))
    return plans


async def _prices(
    options: argparse.Namespace, stored: Stored | None, plans: Sequence[Plan], cdrs: Sequence[Cdr]
) -> dict[ZoneAndCurrency, SpotPrices]:
    """The market prices of every zone and currency that a plan asks for, from the file or for the sessions' time."""
    wanted = {(plan.tariff.laddbok.spot.zone, plan.tariff.currency) for plan in plans if plan.tariff.laddbok.spot}
    if options.prices is not None and wanted:
        path = Path(options.prices)
        quotes = read_price_file(path)
        return {key: prices_of(quotes, *key, path.name) for key in wanted}
    if not wanted or stored is None:
        return {}
    first = min(cdr.started_at for cdr in cdrs)
    last = max((period.end_at for cdr in cdrs for period in cdr.periods), default=first)
    return {key: await stored.prices(*key, first, last) for key in wanted}


def _contracts(sessions: Sequence[Metered], each_driver: bool) -> list[list[Metered]]:
    """The sessions by contract: all of them are one, or each driver's are."""
    if not each_driver:
        return [[*sessions]]
    found: dict[str | None, list[Metered]] = {}
    for session in sessions:
        found.setdefault(session.driver, []).append(session)
    if None in found:
        raise Invalid("each_driver", f"{len(found[None])} sessions don't say whose they are")
    return [*found.values()]


def _compared(
    plans: Sequence[Plan], sessions: Sequence[Metered], zone: ZoneInfo, window: Window,
    prices: dict[ZoneAndCurrency, SpotPrices],
) -> Comparison:  # fmt: skip
    cdrs = [session.cdr for session in sessions]
    spans: tuple[Span, ...] = whole_months(cdrs, zone)
    if window.start_at and window.end_at:
        spans = months_between(window.start_at, window.end_at, zone)
    return compare([plan_cost(plan.name, plan.tariff, cdrs, zone, spans, prices) for plan in plans])
