"""What happens to a frame between a station and a gateway?

A wire is one connection with two ends. Frames keep their order on it, each way; they may be late, lost, or come twice.
A wire may be cut, which each end notices in its own time: what was under way may still arrive, even after the station
is back on another wire. Half-open is the worst cut: both ends believe in it until they have waited long enough.
"""

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from laddbok.gateway.connection import Accept
from tests.sim.faults import Faults
from tests.sim.world import World

if TYPE_CHECKING:
    from tests.sim.box import Box
    from tests.sim.gateway import Gateway

GONE = 1006
CLOSE_TIMEOUT_S = 5.0
PING_PATIENCE_S = (40.0, 120.0)
"""How long a station believes in a dead connection."""
LATENCY_S = (0.01, 0.08)
LATE_S = (0.5, 12.0)
LINGERING_S = (0.5, 40.0)
"""How late what was under way arrives after a cut."""


class Socket:
    """The gateway's end: `gateway.connection.Connection`."""

    def __init__(self, wire: "Wire", identity: str, station_no: int, subprotocol: str) -> None:
        self.wire = wire
        self.station_identity = identity
        self.station_no = station_no
        self.subprotocol = subprotocol
        self.remote_address = "192.0.2.1"
        self.admission = Accept(tenant=1, station_no=station_no)
        self.deadline_s = 900.0
        self.context: Any = None
        self.calls: dict[str, tuple[str, bytes]] = {}
        """Action and frame of each call that came in, by message id."""
        self.is_open = True
        self.is_gone = False
        self._waiting: list[bytes] = []
        self._is_paused = False

    def send(self, data: bytes) -> None:
        if self.is_open:
            self.wire.gateway.sends(self, data)
            self.wire.down(data)

    def close(self, code: int, reason: str = "") -> None:
        if self.is_open:
            self.is_open = False
            self.wire.world.note(self.station_identity, "is sent away", (code, reason))
            self.wire.gateway_closed(code)

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False
        while self._waiting and not self._is_paused:
            self.take(self._waiting.pop(0))

    def take(self, data: bytes) -> None:
        """A frame arrived here."""
        if not self.is_open:
            return
        if self._is_paused:
            self._waiting.append(data)
        else:
            self.wire.gateway.takes(self, data)

    def gone(self, code: int) -> None:
        """The socket is gone, once."""
        if not self.is_gone:
            self.is_open, self.is_gone = False, True
            self.wire.gateway.lost(self, code)


class Wire:
    """One connection of a station to a gateway."""

    def __init__(self, world: World, faults: Faults, box: "Box", gateway: "Gateway") -> None:
        self.world = world
        self.gateway = gateway
        self._faults = faults
        self.box = box
        self._chance: Random = box.wire_chance
        self.socket: Socket | None = None
        self.is_cut = False
        self.is_broken = False
        self._up_at = self._down_at = world.now
        world.after(self._latency_s(), self._knock)

    # ------------------------------------------------------------------ opening
    def _knock(self) -> None:
        self.socket = None if self.is_cut else self.gateway.admits(self)
        self.world.after(self._latency_s(), self._opened if self.socket else self.box.refused, self)

    def _opened(self, wire: "Wire") -> None:
        if self.is_cut:
            self.box.dropped(self)
        else:
            self.box.opened(self)

    # ------------------------------------------------------------------ frames
    def up(self, data: bytes) -> None:
        """The station sends."""
        if self.is_cut:
            self._linger(data)
        else:
            self._up_at = self._carry(data, self._up_at, self._deliver_up)

    def down(self, data: bytes) -> None:
        """The gateway sends."""
        self._down_at = self._carry(data, self._down_at, self._deliver_down)

    def _linger(self, data: bytes) -> None:
        """What was under way when the network went may arrive late, in its order, until something of it is lost."""
        self.is_broken = self.is_broken or self.socket is None or self._chance.random() < 0.3
        if self.is_broken or self.socket is None:
            return self.world.note(self.box.identity, "a frame is lost", data)
        at = self.world.now + timedelta(seconds=self._chance.uniform(*LINGERING_S))
        self._up_at = max(self._up_at, at)
        self.world.at(self._up_at, self.socket.take, data)

    def _carry(self, data: bytes, not_before: Any, deliver: Any) -> Any:
        if self.is_cut or self._faults.strikes("loss", self._chance, 0.02):
            self.world.note(self.box.identity, "a frame is lost", data)
            return not_before
        at = max(not_before, self.world.now + timedelta(seconds=self._latency_s()))
        self.world.at(at, deliver, data)
        if self._faults.strikes("duplicate", self._chance, 0.02):
            self.world.at(at, deliver, data)
        return at

    def _deliver_up(self, data: bytes) -> None:
        if self.is_cut:
            self._linger(data)
        elif self.socket is not None:
            self.socket.take(data)

    def _deliver_down(self, data: bytes) -> None:
        if not self.is_cut:
            self.box.hears(self, data)

    # ------------------------------------------------------------------ ends
    def gateway_closed(self, code: int) -> None:
        """The gateway said goodbye; the station hears it, and the socket goes in its time."""
        assert self.socket is not None
        self.world.after(self._chance.uniform(0.02, CLOSE_TIMEOUT_S), self.socket.gone, code)
        if not self.is_cut:
            at = max(self._down_at, self.world.now + timedelta(seconds=self._latency_s()))
            self.world.at(at, self._station_hears_close)

    def station_closed(self) -> None:
        """The station said goodbye, behind what it sent before."""
        self.world.at(self._up_at, self._gateway_hears_close)

    def cut(self, half_open: bool = False) -> None:
        """The network between them is gone."""
        if self.is_cut:
            return
        self.is_cut = True
        self.world.note(self.box.identity, "its connection is half-open" if half_open else "its connection is cut")
        patience_s = self._chance.uniform(*(PING_PATIENCE_S if half_open else (0.0, 4.0)))
        self.world.after(patience_s, self.box.dropped, self)
        if self.socket is not None:
            deadline_s = self.socket.deadline_s if half_open else self._chance.uniform(0.0, LINGERING_S[1])
            self.world.after(deadline_s, self.socket.gone, GONE)

    def crashed(self) -> None:
        """The gateway is no more; its system hangs up."""
        self.is_cut = self.is_broken = True
        if self.socket is not None:
            self.socket.is_open, self.socket.is_gone = False, True
        self.world.after(self._chance.uniform(0.0, 2.0), self.box.dropped, self)

    def _station_hears_close(self) -> None:
        if not self.is_cut:
            self.is_cut = self.is_broken = True
            self.box.dropped(self)

    def _gateway_hears_close(self) -> None:
        self.is_cut = True
        if self.socket is not None:
            self.socket.gone(1000)

    def _latency_s(self) -> float:
        if self._faults.strikes("delay", self._chance, 0.03):
            return self._chance.uniform(*LATE_S)
        return self._chance.uniform(*LATENCY_S)
