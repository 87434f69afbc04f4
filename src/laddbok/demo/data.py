"""What stands in the demo's database before the first driver comes?

Four sites as operators have them (a street, a fast-charging stop, an office, a housing co-operative with half of all boxes), each
with its tariff; the fleet's stations with their passwords; and drivers with id tokens and contracts. Filling it again changes
nothing.
"""

import json
from datetime import UTC, datetime
from typing import Any

import asyncpg

from laddbok.demo.cooperative import show_cooperative
from laddbok.demo.customers import sell
from laddbok.fleet.outlet import StationShape
from laddbok.fleet.population import FleetSettings, station_shapes
from laddbok.gateway.credentials import hash_password
from laddbok.store.database import Database
from laddbok.store.sql import query

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
VAT_PERCENT = 25
SITES = {
    "public_ac": ("storgatan", "Storgatan", "Storgatan 12", "Umeå", 63.8258, 20.2630),
    "public_dc": ("snabbladdning-e4", "Snabbladdning E4", "Trafikplats Syd 1", "Gävle", 60.6749, 17.1413),
    "workplace": ("kontoret", "Kontoret", "Hammarby allé 7", "Stockholm", 59.3043, 18.0959),
    "residential": ("brf-solgläntan", "BRF Solgläntan", "Solgläntan 3", "Uppsala", 59.8586, 17.6389),
}
KINDS = (
    "public_ac", "residential", "residential", "public_dc", "public_ac", "residential", "residential", "workplace",
)  # fmt: skip
"""Of the stations, in turn: of 40 the co-operative has 20."""
IDLE_BY_DAY = {
    "per_min": "1.00",
    "grace_s": 900,
    "cap": "200.00",
    "exempt": [{"start_time": "22:00", "end_time": "06:00"}],
}
TARIFFS: dict[str, dict[str, Any]] = {
    "public_ac": {
        "elements": [{"price_components": [("ENERGY", "3.20")]}],
        "laddbok": {"idle": {**IDLE_BY_DAY, "until": "unplug"}},
    },
    "public_dc": {
        "elements": [{"price_components": [("ENERGY", "5.40")]}],
        "laddbok": {"idle": {"per_min": "4.00", "grace_s": 600, "cap": "400.00"}},
    },
    "workplace": {
        "elements": [
            {"price_components": [("ENERGY", "2.40")], "restrictions": {"start_time": "07:00", "end_time": "17:00"}},
            {"price_components": [("ENERGY", "1.60")]},
        ],
    },
    "residential": {"elements": [{"price_components": [("ENERGY", "1.85")]}]},
}


async def fill(database: Database, fleet: FleetSettings, now: datetime) -> None:
    """Put the demo's sites, tariffs, drivers and stations into the first tenant; what is there stays."""
    connection = await database.connect()
    try:
        async with connection.transaction():
            tenant = await connection.fetchval(query("oldest_tenant"))
            for kind, site in SITES.items():
                await connection.execute(query("demo_site"), tenant, *site, SINCE)
                await _tariff(connection, tenant, kind, site[0], now)
            await sell(connection, tenant, fleet.tokens, SINCE, now)
            for shape in station_shapes(fleet):
                await _station(connection, tenant, shape, now)
    finally:
        await connection.close()
    await show_cooperative(database, tenant, fleet.tokens[0], SINCE, now)


async def _tariff(connection: asyncpg.Connection, tenant: int, kind: str, site_id: str, now: datetime) -> None:
    document = {
        "country_code": "SE",
        "party_id": "LAD",
        "id": f"demo-{kind}",
        "currency": "SEK",
        "last_updated": "2026-01-01T00:00:00Z",
        "tax_included": "YES",
        **TARIFFS[kind],
    }
    document["elements"] = [
        {**element, "price_components": [_component(*each) for each in element["price_components"]]}
        for element in document["elements"]
    ]
    await connection.execute(query("demo_tariff"), tenant, document["id"], SINCE, now, json.dumps(document))
    await connection.execute(query("demo_assignment"), tenant, "site", site_id, SINCE, document["id"])
    if kind == "public_ac":
        await connection.execute(query("demo_assignment"), tenant, "default", "", SINCE, document["id"])


def _component(kind: str, price: str) -> dict[str, Any]:
    return {"type": kind, "price": price, "vat": VAT_PERCENT, "step_size": 1}


async def _station(connection: asyncpg.Connection, tenant: int, shape: StationShape, now: datetime) -> None:
    site_id, site_name = SITES[shape.kind][:2]
    number = await connection.fetchval(
        query("demo_station"),
        tenant,
        shape.identity,
        site_id,
        f"{site_name} {int(shape.identity[-4:])}",
        hash_password(shape.password),
        now,
    )
    standard = "IEC_62196_T2_COMBO" if shape.phases == 0 else "IEC_62196_T2"
    for outlet in range(1, shape.evses + 1):
        power = (shape.rated_w, shape.phases or None)
        await connection.execute(query("demo_evse"), tenant, number, outlet, *power, shape.protocol == "1.6", standard)
