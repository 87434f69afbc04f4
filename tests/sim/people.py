"""What do people keep: tokens, prices, outlets?

Three tariffs: one plain, by energy alone; one by the clock, with a fee to start; one with an idle fee until the cable is
out. Some stations have none. In the course of a run a tariff gets a new version, which holds from soon on.
"""

import json
from bisect import bisect_right
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from laddbok.model.events import AuthorizationStatus
from laddbok.model.money import round_money
from laddbok.model.session import TariffChoice
from laddbok.model.tariff import Tariff, parse_tariff
from tests.sim.faults import Faults
from tests.sim.grounds import Ground
from tests.sim.world import World

TOKENS = tuple(f"04C0FFEE{number:02d}" for number in range(12))
UNKNOWN, BLOCKED, EXPIRED = "0BADF00D", "04B10C4ED0", "04E4B1EED0"
LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
CHANGES = 3
NOTICE = timedelta(seconds=90)
"""A version is announced this long before it holds."""


class Prices:
    """The tariffs with their versions, and which station has which."""

    def __init__(self, world: World, ground: Ground, faults: Faults) -> None:
        self._world = world
        self._ground = ground
        self._chance = world.chance("prices")
        self._versions: dict[str, list[tuple[datetime, bytes]]] = {}
        self._of_station: dict[int, str | None] = {}
        for tariff_id in ("plain", "clock", "idle"):
            self._add(tariff_id, LONG_AGO)
        if "tariff_change" in faults.on:
            for _ in range(CHANGES):
                world.after(self._chance.uniform(600, 6600), self._change)

    def assign(self, station_no: int, identity: str) -> None:
        """A new station gets a tariff, or none."""
        tariff_id = self._chance.choice(("plain", "plain", "clock", "idle", "plain", "clock", None))
        self._of_station[station_no] = tariff_id
        if tariff_id is not None:
            self._ground.keeps.assign_tariff(self._ground.tenant, "station", identity, tariff_id)

    def tariff_of(self, station_no: int) -> str | None:
        """The tariff of a station."""
        return self._of_station[station_no]

    def version_at(self, station_no: int, at: datetime) -> int | None:
        """The version that holds then."""
        tariff_id = self._of_station[station_no]
        if tariff_id is None:
            return None
        return bisect_right([since for since, _ in self._versions[tariff_id]], at)

    def document(self, choice: TariffChoice) -> Tariff:
        """A version, whole."""
        return parse_tariff(self._versions[choice.tariff_id][choice.version - 1][1])

    def plain_price(self, choice: TariffChoice, energy_wh: int) -> Decimal | None:
        """What this much energy costs by the plain tariff; None: another one."""
        if choice.tariff_id != "plain":
            return None
        return round_money(plain_per_kwh(choice.version) * energy_wh / 1000, "SEK")

    def _change(self) -> None:
        tariff_id = self._chance.choice(("plain", "clock", "idle"))
        newest = self._versions[tariff_id][-1][0]
        if (since := self._world.now + NOTICE) > newest:
            self._world.note("people", "change the tariff", tariff_id)
            self._add(tariff_id, since)

    def _add(self, tariff_id: str, since: datetime) -> None:
        versions = self._versions.setdefault(tariff_id, [])
        document = _document(tariff_id, len(versions) + 1)
        versions.append((since, document))
        self._ground.keeps.add_tariff(self._ground.tenant, document, since)


def plain_per_kwh(version: int) -> Decimal:
    """Each version has a price of its own."""
    return Decimal("2.95") + Decimal("0.17") * version


def _document(tariff_id: str, version: int) -> bytes:
    energy = {"type": "ENERGY", "price": str(plain_per_kwh(version)), "vat": 25, "step_size": 1}
    elements: list[dict[str, Any]] = [{"price_components": [energy]}]
    ours: dict[str, Any] = {}
    if tariff_id == "clock":
        flat = {"type": "FLAT", "price": "5.00", "vat": 25, "step_size": 1}
        night = {"start_time": "01:30", "end_time": "03:10"}
        cheap = energy | {"price": "1.11"}
        elements = [{"price_components": [cheap], "restrictions": night}, {"price_components": [energy, flat]}]
    elif tariff_id == "idle":
        ours = {"idle": {"per_min": "1.50", "grace_s": 300, "cap": "60", "until": "unplug", "vat": "25"}}
    fields = {"id": tariff_id, "currency": "SEK", "last_updated": "2026-01-01T00:00:00Z"}
    return json.dumps(fields | {"elements": elements, "laddbok": ours}).encode()


def keep(ground: Ground, now: datetime) -> None:
    """The id tokens of everybody."""
    for token in TOKENS:
        ground.keeps.add_token(ground.tenant, token)
    ground.keeps.add_token(ground.tenant, BLOCKED, AuthorizationStatus.BLOCKED)
    ground.keeps.add_token(ground.tenant, EXPIRED, AuthorizationStatus.ACCEPTED, now - timedelta(days=120))
