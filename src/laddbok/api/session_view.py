"""How does a session look from outside?

As one flat object, the same in lists, alone, and in the event stream. What is known of a running session is the newer
of what is stored and what its gateway last said.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import asyncpg
import msgspec

from laddbok.api.energy_view import EnergyView, Registers, energy_view
from laddbok.api.prices import Prices
from laddbok.model.cdr import Activity, ChargingPeriod
from laddbok.model.energy import EnergyFinding
from laddbok.model.session import TariffChoice, Turn, Verdict, VerdictKind
from laddbok.store.reads import Filters
from laddbok.store.sql import query


class TariffRef(msgspec.Struct):
    """One version of a tariff."""

    id: str
    version: int


class PriceSum(msgspec.Struct):
    """What a session costs, in short. `final`: issued; else it may still change. Either amount is null while the VAT is
    unknown; `as_of` is when it was computed."""

    currency: str
    excl_vat: Decimal | None
    incl_vat: Decimal | None
    final: bool
    as_of: datetime


class VerdictRef(msgspec.Struct):
    """What a person decided last, and why."""

    kind: VerdictKind
    reason: str


class SessionView(msgspec.Struct, kw_only=True):
    """One session. Instants are UTC; energy in whole Wh, null when no register was read; power in W.

    `id_token` is as first presented, `token` who is billed, in its normal form. `price` is null with a
    `price_missing_reason`. `version` grows with each move; a decision names the one that the person saw. `energy` is null
    until the energy has been found, `verdict` until a person has decided.
    """

    id: str
    version: int
    station_id: str
    evse_id: int | None
    connector_id: int | None
    transaction_id: str | None
    id_token: str | None
    token: str | None
    state: str
    started_at: datetime
    ended_at: datetime | None
    charging_ended_at: datetime | None
    transaction_ended_at: datetime | None
    unplugged_at: datetime | None
    energy_wh: int | None
    energy: EnergyView | None
    power_w: int | None
    soc_pct: int | None
    activity: Activity | None
    contract_id: str | None
    site_id: str | None
    origin: str
    revision: int
    stop_reason: str | None
    tariff: TariffRef | None
    review_reasons: list[str]
    verdict: VerdictRef | None
    price: PriceSum | None
    price_missing_reason: str | None


class MeterFacts(Registers, kw_only=True):
    """What a stored session says of its meter."""

    power_w: int | None = None
    soc_pct: int | None = None
    activity: Activity | None = None
    turns: tuple[Turn, ...] = ()
    closed_periods: tuple[ChargingPeriod, ...] = ()
    open_period: ChargingPeriod | None = None

    @property
    def last_activity(self) -> Activity | None:
        """What the outlet does since it was heard of last."""
        return self.turns[-1].activity if self.turns else self.activity


class Facts(msgspec.Struct):
    """What the document of a session says beside the columns; an imported one says less."""

    charging_ended_at: datetime | None = None
    transaction_ended_at: datetime | None = None
    unplugged_at: datetime | None = None
    stop_reason: str | None = None
    tariff: TariffChoice | None = None
    meter: MeterFacts = msgspec.field(default_factory=MeterFacts)
    energy: EnergyFinding | None = None
    verdict: Verdict | None = None


RUNNING = frozenset({"pending", "active"})
_facts = msgspec.json.Decoder(Facts)


def facts_of(body: str) -> Facts:
    """What the stored document of a session says."""
    return _facts.decode(body)


async def session_views(
    connection: asyncpg.Connection,
    filters: Filters,
    prices: Prices | None,
    now: datetime,
    *,
    limit: int,
    ascending: bool = False,
) -> list[SessionView]:
    """The sessions that fit, by their begin.

    Args: prices: None leaves the prices out. now: business time, for running prices.
    """
    rows = await session_records(connection, filters, limit=limit, ascending=ascending)
    return [await view(connection, row, prices, now) for row in rows]


async def session_records(
    connection: asyncpg.Connection, filters: Filters, *, limit: int, ascending: bool = False
) -> Sequence[asyncpg.Record]:
    """The rows of the sessions that fit, by their begin."""
    statement = filters.into(query("session_rows")).replace("/* order */", "" if ascending else "DESC")
    rows: Sequence[asyncpg.Record] = await connection.fetch(f"{statement} {limit:d}", *filters.arguments)
    return rows


async def view(
    connection: asyncpg.Connection, row: asyncpg.Record, prices: Prices | None, now: datetime
) -> SessionView:
    """A row of `session_rows` as it looks from outside."""
    facts = facts_of(row["body"])
    price, reason = (None, "omitted") if prices is None else await _price(connection, row, facts, prices, now)
    is_running = row["state"] in RUNNING
    meter = facts.meter
    energy_wh = row["energy_wh"]
    if meter.energy_wh is not None and row["state"] not in ("settled", "void"):
        energy_wh = meter.energy_wh
    if is_unknown(facts):
        energy_wh = None
    return SessionView(
        id=row["id"], version=row["version"], station_id=row["station_id"], evse_id=row["evse_id"], connector_id=row["connector_id"],
        transaction_id=row["transaction_id"], id_token=row["id_token"], token=row["token"], state=row["state"],
        started_at=row["started_at"], ended_at=row["ended_at"], charging_ended_at=facts.charging_ended_at,
        transaction_ended_at=facts.transaction_ended_at or row["ended_at"], unplugged_at=facts.unplugged_at,
        energy_wh=energy_wh, energy=energy_view(facts.energy, meter), power_w=meter.power_w if is_running else None, soc_pct=meter.soc_pct,
        activity=meter.last_activity if is_running else None, contract_id=row["contract_id"],
        site_id=row["site_id"], origin=row["origin"], revision=row["revision"], stop_reason=facts.stop_reason,
        tariff=_tariff(row, facts), review_reasons=row["review_reasons"],
        verdict=VerdictRef(facts.verdict.kind, facts.verdict.reason) if facts.verdict else None,
        price=price, price_missing_reason=reason,
    )  # fmt: skip


def _tariff(row: asyncpg.Record, facts: Facts) -> TariffRef | None:
    if row["tariff_id"] is not None:
        return TariffRef(row["tariff_id"], row["tariff_version"])
    return TariffRef(facts.tariff.tariff_id, facts.tariff.version) if facts.tariff else None


async def _price(
    connection: asyncpg.Connection, row: asyncpg.Record, facts: Facts, prices: Prices, now: datetime
) -> tuple[PriceSum | None, str | None]:
    """The issued price, else the running one, else the reason why there is none."""
    if row["currency"] is not None:
        return PriceSum(row["currency"], row["excl_vat"], row["incl_vat"], True, row["issued_at"]), None
    if reason := missing_reason(row["origin"], row["state"], facts):
        return None, reason
    running = await prices.running(connection, row["body"], min(now, row["silent_since"] or now))
    if isinstance(running, str):
        return None, running
    rating, as_of = running
    return PriceSum(rating.currency, rating.excl_vat, rating.incl_vat, False, as_of), None


def missing_reason(origin: str, state: str, facts: Facts) -> str | None:
    """Why a session without a CDR has no price at all; None when a running one can be tried.

    Source: our choice; a missing tariff is a reason with a name, never price 0.
    """
    if origin == "import":
        return "imported"
    if state in ("void", "settled"):
        return "void" if state == "void" else "no_cdr"
    if is_unknown(facts):
        return "no_meter_reading"
    return None if facts.tariff else "no_tariff"


def is_unknown(facts: Facts) -> bool:
    """Whether nothing that was told of the energy can be believed: then there is none to show, and no price of it."""
    return facts.energy is not None and facts.energy.energy_wh is None
