"""What does a run charge contracts beside their sessions?

Read once for a run: the subscriptions of the month. Read for each portion of customers: what their contracts were charged
before, the tariffs of their sessions, and the market's prices where a tariff with included energy needs them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import asyncpg

from laddbok.flow.billing_run import Charged, Extras, InTheWay, PositionKey, key_of, sort_out
from laddbok.flow.contract_charges import Share, Used, fee_of, given_back, included, standing
from laddbok.model.billing import ContractCharge, Position, SellerTerms
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.superset import Tier
from laddbok.model.tariff import Tariff, parse_tariff
from laddbok.rating.compile import CompiledTariff, compile_tariff
from laddbok.rating.month_fee import Month, month_of
from laddbok.store.contract_charges import Subscribed, charges_of, positions_of, subscriptions
from laddbok.store.spot_prices import read_prices
from laddbok.store.sql import query

NO_PAYER = "nobody pays its subscription: it had no payer at the end of the month"
Version = tuple[str, int]
Group = tuple[str, str, str]
"""Contract, month and tariff."""


class ContractCharges:
    """The charges of one run: a seller and a month."""

    def __init__(self, connection: asyncpg.Connection, tenant: int, terms: SellerTerms, month: Month) -> None:
        self._connection = connection
        self._tenant = tenant
        self._terms = terms
        self._month = month
        self._fees: dict[str, list[Subscribed]] = defaultdict(list)
        self._tariffs: dict[Version, Tariff] = {}
        self._compiled: dict[tuple[Version, str], CompiledTariff] = {}
        self._earlier: dict[str, list[ContractCharge]] = {}

    async def begin(self) -> list[InTheWay]:
        """Read the month's subscriptions. Returns: those that nobody pays."""
        nobody = []
        for each in await subscriptions(self._connection, self._tenant, self._terms, self._month):
            if each.payer_id is None:
                nobody.append(InTheWay(None, f"contract {each.held[0].contract_id}", NO_PAYER))
            else:
                self._fees[each.payer_id].append(each)
        return nobody

    def payers_left(self) -> list[str]:
        """Who pays a subscription and was not asked for yet."""
        return sorted(self._fees)

    async def read(self, positions: Iterable[Position]) -> None:
        """Read what these positions need."""
        every = list(positions)
        contracts = {p.contract_id for p in every if p.contract_id is not None} - self._earlier.keys()
        found = await charges_of(self._connection, self._tenant, contracts)
        self._earlier |= {contract: found.get(contract, []) for contract in contracts}
        versions = {version for p in every if (version := _version(p)) is not None} - self._tariffs.keys()
        columns = [list(each) for each in zip(*versions, strict=True)] or [[], []]
        for row in await self._connection.fetch(query("evidence_tariffs"), self._tenant, *columns):
            self._tariffs[row["tariff_id"], row["version"]] = parse_tariff(row["document"].encode())

    async def extras(self, payer_id: str, positions: Sequence[Position]) -> Extras:
        """What this customer is charged, and gives back. Raises: Invalid when a charge can't be billed."""
        billed = sort_out(positions).billed
        backs = self._backs(billed)
        charges = [
            fee
            for each in self._fees.pop(payer_id, [])
            if (fee := fee_of(each.held, self._month, self._terms)) is not None
        ]
        anew = {(each.charge.contract_id, each.charge.month, each.charge.tariff_id) for each in backs.values()}
        groups = self._with_tiers(billed)
        for key in sorted(groups.keys() | anew):
            charged = await self._included(key, groups.get(key, []), is_anew=key in anew)
            if charged is not None:
                self._earlier[key[0]].append(charged.charge)
                charges.append(charged)
        return Extras(charges=tuple(charges), backs=backs)

    def _backs(self, billed: Sequence[Position]) -> dict[PositionKey, Charged]:
        backs: dict[PositionKey, Charged] = {}
        for credit in (p for p in billed if p.kind == "credit" and p.contract_id is not None and _has_included(p)):
            earlier = self._earlier[credit.contract_id or ""]
            back = given_back(credit, earlier)
            if back is not None:
                backs[key_of(credit)] = back
                earlier.append(back.charge)
        return backs

    def _with_tiers(self, billed: Sequence[Position]) -> dict[Group, list[Position]]:
        """The sessions of contracts with included energy, by contract, month and tariff."""
        zone = ZoneInfo(self._terms.time_zone)
        groups: dict[Group, list[Position]] = defaultdict(list)
        for position in billed:
            version, contract_id = _version(position), position.contract_id
            is_used = position.kind == "cdr" and _has_included(position)
            if is_used and contract_id and version and self._tiers(version):
                groups[contract_id, str(month_of(position.cdr, zone)), version[0]].append(position)
        return groups

    async def _included(self, key: Group, used: Sequence[Position], *, is_anew: bool) -> Charged | None:
        """What included energy changes; where something was given back, of all sessions of the month. The newest tiers count."""
        contract_id, month, tariff_id = key
        earlier = tuple(each for each in self._earlier[contract_id] if each.month == month)
        again = await self._standing(earlier, tariff_id) if is_anew else []
        versions = [each.tariff_version or 0 for each in (*used, *again)]
        if not versions:
            return None
        share = Share(
            contract_id=contract_id, month=Month(*map(int, month.split("-"))), tariff_id=tariff_id,
            tiers=tuple(self._tiers((tariff_id, max(versions)))), earlier=earlier,
        )  # fmt: skip
        return included(share, [await self._used(each) for each in used], [await self._used(each) for each in again])

    async def _standing(self, earlier: Sequence[ContractCharge], tariff_id: str) -> list[Position]:
        """The sessions of a month that were charged before and stand."""
        keys = standing(earlier, tariff_id)
        columns = [list(each) for each in zip(*keys, strict=True)] or [[], []]
        positions = await positions_of(self._connection, self._tenant, *columns)
        await self.read(positions)
        return positions

    def _tiers(self, version: Version) -> Sequence[Tier]:
        tariff = self._tariffs.get(version)
        return tariff.laddbok.subscription.tiers if tariff and tariff.laddbok.subscription else ()

    async def _used(self, position: Position) -> Used:
        version = _version(position)
        assert version is not None
        tariff, cdr = self._tariffs[version], position.cdr
        key = (version, cdr.time_zone)
        if key not in self._compiled:
            self._compiled[key] = compile_tariff(tariff, cdr.time_zone)
        prices: SpotPrices | None = None
        if tariff.laddbok.spot is not None:
            begin_at, end_at = cdr.periods[0].start_at, cdr.periods[-1].end_at
            prices = await read_prices(
                self._connection, self._tenant, tariff.laddbok.spot.zone, tariff.currency, begin_at, end_at
            )
        return Used(position, self._compiled[key], prices)


def _has_included(position: Position) -> bool:
    """Whether what included energy changes of a session stands with this position: with one part of it, where several pay."""
    return position.paid is None or position.paid.has_included


def _version(position: Position) -> Version | None:
    if position.tariff_version is None or not position.rating.tariff_id:
        return None
    return position.rating.tariff_id, position.tariff_version
