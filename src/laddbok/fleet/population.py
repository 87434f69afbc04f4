"""Which stations does a fleet consist of?

Identity, protocol, kind of site, outlets, password and first meter reading of each station follow from the settings
alone, so that another process (a demo's platform) knows them beforehand.

>>> settings = FleetSettings(url="ws://127.0.0.1:9000/ocpp", stations=3, protocol="mixed")
>>> [(shape.identity, shape.protocol, shape.kind, shape.evses) for shape in station_shapes(settings)]
[('LB-0001', '1.6', 'public_ac', 2), ('LB-0002', '2.0.1', 'public_dc', 2), ('LB-0003', '1.6', 'workplace', 2)]
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from laddbok.fleet.driver import AskOperator
from laddbok.fleet.outlet import StationShape
from laddbok.fleet.vehicle import VOLTAGE_V
from laddbok.model.errors import Invalid

MAX_STATIONS = 5_000
"""Most stations of one process: each holds a socket."""

REGISTERS_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
REGISTER_MEAN_W = 40_000
"""A new fleet's meters show what a busy outlet would have delivered since then, so that a later run starts higher."""


class Build(NamedTuple):
    """How a station of some kind of site is built."""

    evses: int
    rated_w: int
    phases: int


BUILDS = {
    "public_ac": Build(2, 3 * 32 * VOLTAGE_V, 3),
    "public_dc": Build(2, 150_000, 0),
    "workplace": Build(2, 3 * 16 * VOLTAGE_V, 3),
    "residential": Build(1, 3 * 16 * VOLTAGE_V, 3),
}

DEFAULT_KINDS = ("public_ac", "public_dc", "workplace", "residential")
DEFAULT_TOKENS = tuple(f"04FA{number:04X}B2C3" for number in range(1, 41))


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSettings:
    """Everything that a fleet needs to know.

    `protocol`: "1.6", "2.0.1" or "mixed". `password`: one for all; without it each station has one derived from the seed
    (`station_password`); "" for none. `crowding` multiplies the measured arrivals, `longest_pause_s` bounds the pauses between
    visits and `pause_speed` shortens them; visits themselves always take their time. `follow_server_time`: live
    by the central system's clock (against a foreign one). `ask_operator`: called for drivers who want to be stopped
    remotely. `kinds`: kinds of site, in turn.
    """

    url: str
    stations: int = 10
    protocol: str = "mixed"
    seed: int = 1
    password: str | None = None
    tokens: tuple[str, ...] = DEFAULT_TOKENS
    kinds: tuple[str, ...] = DEFAULT_KINDS
    time_zone: str = "Europe/Stockholm"
    arrivals: bool = True
    crowding: float = 20.0
    longest_pause_s: int = 2_700
    pause_speed: float = 1.0
    follow_server_time: bool = False
    sample_interval_s: int = 60
    identity_prefix: str = "LB-"
    ask_operator: AskOperator | None = None

    def check(self) -> None:
        """Raises: Invalid naming the first setting that can't be."""
        if not self.url.startswith(("ws://", "wss://")):
            raise Invalid("url", f"{self.url!r} is not a ws:// or wss:// address")
        if not 1 <= self.stations <= MAX_STATIONS:
            raise Invalid("stations", f"must be from 1 to {MAX_STATIONS}, not {self.stations}")
        if self.protocol not in ("1.6", "2.0.1", "mixed"):
            raise Invalid("protocol", f"{self.protocol!r} is none of 1.6, 2.0.1, mixed")
        if not self.kinds or not set(self.kinds) <= BUILDS.keys():
            raise Invalid("kinds", f"must be some of {', '.join(BUILDS)}")
        if not self.tokens or not all(0 < len(token) <= 20 for token in self.tokens):
            raise Invalid("tokens", "at least one id token is needed, each of 1 to 20 characters")
        if self.pause_speed <= 0 or self.crowding <= 0 or self.sample_interval_s < 1:
            raise Invalid("speed", "pause_speed, crowding and sample_interval_s must be above 0")


def station_password(seed: int, identity: str) -> str:
    """The password of a virtual station: the same in every process that knows the seed. For labs only."""
    return sha256(f"virtual station {seed} {identity}".encode()).hexdigest()[:32]


def station_shapes(settings: FleetSettings, now: datetime = REGISTERS_SINCE) -> Iterator[StationShape]:
    """The stations of a fleet, in order.

    Args: now: when the fleet begins; only the meters' first readings depend on it.
    """
    for number in range(settings.stations):
        identity = f"{settings.identity_prefix}{number + 1:04d}"
        kind = settings.kinds[number % len(settings.kinds)]
        build = BUILDS[kind]
        derived = station_password(settings.seed, identity)
        yield StationShape(
            identity=identity,
            protocol=("1.6", "2.0.1")[number % 2] if settings.protocol == "mixed" else settings.protocol,
            kind=kind,
            evses=build.evses,
            rated_w=build.rated_w,
            phases=build.phases,
            register_wh=_first_reading_wh(identity, build, now),
            password=derived if settings.password is None else settings.password,
        )


def _first_reading_wh(identity: str, build: Build, now: datetime) -> int:
    base_wh = int.from_bytes(sha256(identity.encode()).digest()[:3])
    elapsed_s = max(0, int((now - REGISTERS_SINCE).total_seconds()))
    return base_wh + elapsed_s * min(build.rated_w, REGISTER_MEAN_W) // 3600
