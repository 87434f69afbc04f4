"""A central system without sockets: answers a virtual station at once, and checks every payload by the official schema."""

import json
from collections import deque
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

from laddbok.fleet.ledger import FleetRecord
from laddbok.fleet.outlet import StationShape
from laddbok.fleet.peer import HangUp, Out
from laddbok.fleet.run import STATIONS
from laddbok.fleet.vehicle import Vehicle

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FOLDERS = {"1.6": "v16", "2.0.1": "v201"}


@cache
def validator(protocol: str, name: str) -> Any:
    folder = files("ocpp").joinpath(FOLDERS[protocol], "schemas")
    suffix = "Request" if protocol != "1.6" and not name.endswith("Response") else ""
    return jsonschema_rs.validator_for(json.loads(folder.joinpath(f"{name}{suffix}.json").read_bytes()))


def car(need_wh: int = 10_000, power_w: int = 7_360, phases: int = 1) -> Vehicle:
    return Vehicle(need_wh=need_wh, battery_wh=50_000, soc_pct=40, power_w=lambda soc_pct: power_w, phases=phases)


class Central:
    """One station and its central system. `calls` are all the station's calls, in order."""

    def __init__(
        self, protocol: str, *, phases: int = 3, boot_answers: list[str] | None = None, **options: Any
    ) -> None:
        shape = StationShape(
            identity="LB-0001",
            protocol=protocol,
            kind="public_ac",
            evses=2,
            rated_w=22_080,
            phases=phases,
            register_wh=1_000_000,
        )
        self.protocol = protocol
        self.ledger = FleetRecord(stations=1)
        self.now = NOON
        self.station = STATIONS[protocol](shape, self.ledger, NOON, **options)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.hang_ups: list[HangUp] = []
        self.replies: dict[str, Any] = {}
        self.is_silent = False
        self.refuses: dict[str, str] = {}
        self.token_status = "Accepted"
        self.boot_answers = boot_answers or []
        self._transaction_id = 100
        self._asked = 0
        self._open: dict[str, str] = {}

    def connect(self) -> None:
        self.take(self.station.connected(self.now))

    def disconnect(self) -> None:
        self.station.disconnected(self.now)

    def wait(self, seconds: float) -> None:
        """Let time pass, ticking the station exactly when it is due."""
        until = self.now + timedelta(seconds=seconds)
        for _ in range(100_000):
            due = self.station.due()
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            self.take(self.station.tick(self.now))
        else:
            raise AssertionError("the station is due for ever")
        self.now = until

    def take(self, outs: list[Out]) -> None:
        """Handle what the station sends, and what it sends upon the answers."""
        waiting = deque(outs)
        while waiting:
            out = waiting.popleft()
            if isinstance(out, HangUp):
                self.hang_ups.append(out)
                continue
            frame = json.loads(out)
            if frame[0] == 2:
                waiting.extend(self._answer(frame))
            else:
                self._check_reply(frame)

    def ask(self, action: str, payload: dict[str, Any]) -> Any:
        """Send a command; returns the answer's payload, or the code of the error."""
        self._asked += 1
        message_id = f"c{self._asked}"
        self._open[message_id] = action
        self.take(self.station.on_message(json.dumps([2, message_id, action, payload]), self.now))
        return self.replies[message_id]

    def actions(self) -> list[str]:
        return [action for action, _ in self.calls]

    def sent(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.calls if name == action]

    def events(self) -> list[tuple[str, str, str | None, int]]:
        """Of each TransactionEvent: kind, trigger, charging state, number."""
        return [
            (p["eventType"], p["triggerReason"], p["transactionInfo"].get("chargingState"), p["seqNo"])
            for p in self.sent("TransactionEvent")
        ]

    def statuses(self) -> list[str]:
        key = "status" if self.protocol == "1.6" else "connectorStatus"
        return [
            p[key]
            for p in self.sent("StatusNotification")
            if p.get("connectorId" if key == "status" else "evseId") == 1
        ]

    def _check_reply(self, frame: list[Any]) -> None:
        kind, message_id, *rest = frame
        if kind == 3:
            validator(self.protocol, f"{self._open[message_id]}Response").validate(rest[0])
        self.replies[message_id] = rest[0]

    def _answer(self, frame: list[Any]) -> list[Out]:
        _, message_id, action, payload = frame
        validator(self.protocol, action).validate(payload)
        self.calls.append((action, payload))
        if self.is_silent:
            return []
        if action in self.refuses:
            answer = [4, message_id, self.refuses[action], "", {}]
        else:
            answer = [3, message_id, self._payload(action, payload)]
        return self.station.on_message(json.dumps(answer), self.now)

    def _payload(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        info = "idTagInfo" if self.protocol == "1.6" else "idTokenInfo"
        match action:
            case "BootNotification":
                status = self.boot_answers.pop(0) if self.boot_answers else "Accepted"
                return {"status": status, "currentTime": self.now.isoformat(), "interval": 300}
            case "Heartbeat":
                return {"currentTime": self.now.isoformat()}
            case "Authorize":
                return {info: {"status": self.token_status}}
            case "StartTransaction":
                self._transaction_id += 1
                return {"transactionId": self._transaction_id, info: {"status": self.token_status}}
            case "TransactionEvent" if "idToken" in payload:
                return {info: {"status": self.token_status}}
        return {}
