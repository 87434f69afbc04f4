"""What do we know of this station's habits?

What its own sessions taught us, version by version, with the session that taught each; and what is publicly known of its
model, each row with its source.
"""

from datetime import datetime

import asyncpg
import msgspec
from litestar import get
from litestar.params import FromPath

from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.model.errors import NotFound
from laddbok.model.traits import EvsePhases, Quirk, RegisterKind, Traits
from laddbok.store.sql import query

MAX_VERSIONS = 100


class WatchedHabit(msgspec.Struct):
    """A habit that was seen `times` sessions in a row and is not believed yet, by the name of its field."""

    habit: str
    value: str | int | bool | None
    times: int


class TraitsVersion(msgspec.Struct, kw_only=True):
    """What was known from this version on. `session_id` is the session that taught it; version 0: nothing is believed yet."""

    version: int
    learned_at: datetime
    session_id: str
    register_kind: RegisterKind
    samples_from_zero: bool
    register_unit_wh: int
    clock_offset_s: int
    phases: list[EvsePhases]
    watched: list[WatchedHabit]


class QuirkView(msgspec.Struct):
    """A row about models that this station matches: the patterns, what it says, and who says so."""

    vendor: str
    model: str
    firmware: str
    flags: list[Quirk]
    source: str


class StationTraits(msgspec.Struct):
    """What is known of a station: its habits, the newest version first, and its model's quirks, which go before them."""

    station_id: str
    versions: list[TraitsVersion]
    quirks: list[QuirkView]


@get("/stations/{station_id:str}/traits")
async def show_traits(request: ApiRequest, station_id: FromPath[str]) -> StationTraits:
    """What is known of a station's habits and of its model."""
    async with asked(request) as connection:
        station = await connection.fetchrow(query("station_model"), station_id)
        if station is None:
            raise NotFound("station", station_id)
        rows = await connection.fetch(query("station_traits"), station_id, MAX_VERSIONS)
    quirks = [
        QuirkView(row.vendor, row.model, row.firmware, list(row.flags), row.source)
        for row in parts_of(request).settings.quirks
        if row.matches(*station.values())
    ]
    return StationTraits(station_id, [_version(row) for row in rows], quirks)


def _version(row: asyncpg.Record) -> TraitsVersion:
    traits = msgspec.json.decode(row["body"], type=Traits)
    return TraitsVersion(
        version=row["version"], learned_at=row["learned_at"], session_id=row["session_id"],
        register_kind=traits.register_kind, samples_from_zero=traits.samples_from_zero,
        register_unit_wh=traits.register_unit_wh, clock_offset_s=traits.clock_offset_s,
        phases=list(traits.phases),
        watched=[WatchedHabit(habit, seen.value, seen.times) for habit, seen in sorted(traits.watched.items())],
    )  # fmt: skip
