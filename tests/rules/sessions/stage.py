"""A stage for one station: it speaks through the real decoder and desk, on a store of dicts and a clock of its own."""

import itertools
import json
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from laddbok.flow.apply import Desk
from laddbok.flow.decide import SETTLE
from laddbok.flow.evidence import refold
from laddbok.flow.messages import Entry, Received, Reply
from laddbok.flow.store import SessionEvidence
from laddbok.model.cdr import Cdr
from laddbok.model.events import AuthorizationStatus
from laddbok.model.rated import Rating
from laddbok.model.session import Session
from laddbok.model.station import Station
from laddbok.ocpp import decode
from laddbok.ocpp.frame import Call, OcppVersion, encode_call, parse
from laddbok.sessions.advance import LOST_STOP_AFTER
from laddbok.store.memory import MemoryStore
from laddbok.workers.settle import Settler

T = TypeVar("T")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKEN, OTHER_TOKEN, BLOCKED_TOKEN, STRANGER = "04A1B2C3", "04D4E5F6", "04BAD000", "STRANGER"
PRICE = Decimal("3.20")
GATEWAY = "gateway"
MAX_ROUNDS = 50


def step(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the memory store waited for something")


def text_of(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def tariff_document(**laddbok: Any) -> bytes:
    component = {"type": "ENERGY", "price": str(PRICE), "vat": 25, "step_size": 1}
    fields = {"id": "T", "currency": "SEK", "elements": [{"price_components": [component]}]}
    return json.dumps(fields | {"last_updated": "2026-01-01T00:00:00Z", "laddbok": laddbok}).encode()


class Stage:
    """One station under a claim, what it says, and what becomes of its sessions."""

    def __init__(
        self,
        protocol: str = "1.6",
        *,
        tariff: bytes | None = None,
        has_tariff: bool = True,
        max_power_w: int | None = 22_000,
        store: MemoryStore | None = None,
    ) -> None:
        self.protocol = protocol
        self.now = NOON
        self.store = MemoryStore() if store is None else store
        self.store.add_station(Station(station_no=1, tenant=1, identity="CP-1", site_id="yard", time_zone="UTC"))
        terms = self.store.terms
        for evse_id in (1, 2):
            terms.add_evse(1, evse_id, max_power_w)
        for token in (TOKEN, OTHER_TOKEN):
            terms.add_token(1, token)
        terms.add_token(1, BLOCKED_TOKEN, AuthorizationStatus.BLOCKED)
        if has_tariff:
            terms.add_tariff(1, tariff or tariff_document())
            terms.assign_tariff(1, "default", "", "T")
        self.desk = Desk(self.store)
        self.epoch = 0
        self._ids = itertools.count(1)
        self.connect()

    def connect(self) -> None:
        """The station comes in, as for the first time or on a new socket: its memory is loaded from the store."""
        [claim] = step(self.store.claim([1], GATEWAY, self.now)).values()
        self.desk.take_over(claim, self.protocol)
        self.epoch = claim.epoch

    def says(
        self, version: OcppVersion, action: str, payload: dict[str, Any], after_s: float = 1, message_id: str = ""
    ) -> Any:
        """The payload of our answer; a list of code and description when we refuse."""
        self.now += timedelta(seconds=after_s)
        [reply] = self.apply([self.entry(version, action, payload, message_id)])
        if reply.is_dropped:  # a worker settled meanwhile what the station speaks of: it comes in again and repeats
            self.connect()
            [reply] = self.apply([self.entry(version, action, payload, message_id)])
        assert not reply.is_dropped
        return list(reply.error) if reply.error else json.loads(reply.payload or b"")

    def says_16(self, action: str, payload: dict[str, Any], after_s: float = 1, message_id: str = "") -> Any:
        return self.says(OcppVersion.V16, action, payload, after_s, message_id)

    def says_201(self, action: str, payload: dict[str, Any], after_s: float = 1, message_id: str = "") -> Any:
        return self.says(OcppVersion.V201, action, payload, after_s, message_id)

    def entry(self, version: OcppVersion, action: str, payload: dict[str, Any], message_id: str = "") -> Received:
        """A call as the gateway hands it to the batch."""
        raw = encode_call(message_id or f"m{next(self._ids)}", action, json.dumps(payload).encode())
        call = parse(raw, version)
        assert isinstance(call, Call)
        return Received(
            station_no=1,
            epoch=self.epoch,
            received_at=self.now,
            version=version,
            call=call,
            raw=raw,
            event=decode(call, version),
        )

    def entry_of_16(self, action: str, payload: dict[str, Any]) -> Received:
        return self.entry(OcppVersion.V16, action, payload)

    def apply(self, entries: Sequence[Entry]) -> list[Reply]:
        return step(self.desk.apply(entries))

    def waits(self, **duration: float) -> None:
        """Time passes without a word from the station, not even a heartbeat; gateway and worker look for lost stops."""
        silence = timedelta(**duration)
        self.now += silence
        self.apply(self.desk.lost_sessions(self.now))
        if silence >= LOST_STOP_AFTER:
            self.apply(self.desk.lost_sessions(self.now, silent=True))

    def settle(self) -> Session:
        """The last session, after the workers did what there is to do."""
        self.work()
        return self.session()

    def work(self) -> None:
        """The workers do what there is to do, however long it takes."""
        for _ in range(MAX_ROUNDS):
            due = [row.job.due_at for row in self.store.jobs.rows.values() if row.failed_at is None]
            if not due:
                return
            self.now = max(self.now, *due)
            for leased in step(self.store.take_jobs("worker", self.now, 8)):
                does = Settler(self.store, lambda: self.now) if leased.job.kind == SETTLE else None
                step(self.store.finish_job(leased, step(does(leased)) if does else None))
        raise AssertionError("the jobs never end")

    def sessions(self) -> list[Session]:
        """All sessions as the desk believes them, or as they are stored when that is newer."""
        held = {session.id: session for session in self.desk.stations[1].state.sessions.values()}
        stored = [row.session for row in self.store.sessions.values()]
        return [max(held.get(s.id, s), s, key=lambda each: (each.version, each.through)) for s in stored]

    def session(self) -> Session:
        """The last session."""
        return self.sessions()[-1]

    def refolded(self, session: Session) -> Session:
        return refold(self.evidence(session))

    def evidence(self, session: Session) -> SessionEvidence:
        return step(self.store.session_evidence(1, session.id))

    def cdr(self) -> Cdr:
        """The only CDR that was issued."""
        [issued] = self.store.cdrs.values()
        return issued.cdr

    def rating(self) -> Rating:
        [issued] = self.store.cdrs.values()
        return issued.rating

    # ------------------------------------------------------------------ what 1.6 stations say
    def starts_16(self, register_wh: int = 1000, token: str = TOKEN, after_s: float = 1, **more: Any) -> Any:
        at = text_of(self.now + timedelta(seconds=after_s))
        payload = {"connectorId": 1, "idTag": token, "meterStart": register_wh, "timestamp": at} | more
        return self.says_16("StartTransaction", payload, after_s)

    def reads_16(self, register_wh: int, transaction_id: int | None = 1, after_s: float = 600, **more: Any) -> Any:
        at = text_of(self.now + timedelta(seconds=after_s))
        value = {"timestamp": at, "sampledValue": [{"value": str(register_wh)}]}
        payload = {"connectorId": 1, "meterValue": [value]} | more
        if transaction_id is not None:
            payload["transactionId"] = transaction_id
        return self.says_16("MeterValues", payload, after_s)

    def stops_16(self, register_wh: int, transaction_id: int = 1, after_s: float = 600, **more: Any) -> Any:
        at = text_of(self.now + timedelta(seconds=after_s))
        payload = {"transactionId": transaction_id, "meterStop": register_wh, "timestamp": at, "reason": "Local"} | more
        return self.says_16("StopTransaction", payload, after_s)

    def status_16(self, status: str, after_s: float = 1, connector_id: int = 1) -> Any:
        at = text_of(self.now + timedelta(seconds=after_s))
        payload = {"connectorId": connector_id, "errorCode": "NoError", "status": status, "timestamp": at}
        return self.says_16("StatusNotification", payload, after_s)

    def boots_16(self, after_s: float = 1) -> Any:
        return self.says_16("BootNotification", {"chargePointVendor": "Norrboks", "chargePointModel": "Vik"}, after_s)

    # ------------------------------------------------------------------ what 2.0.1 stations say
    def event_201(
        self,
        kind: str,
        *,
        register_wh: int | None = None,
        state: str | None = None,
        token: str | None = None,
        after_s: float = 600,
        transaction_id: str = "tx-1",
        **more: Any,
    ) -> Any:
        at = text_of(self.now + timedelta(seconds=after_s))
        trigger = {"Started": "CablePluggedIn", "Updated": "MeterValuePeriodic", "Ended": "StopAuthorized"}[kind]
        transaction = {"transactionId": transaction_id} | ({"chargingState": state} if state else {})
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": trigger,
            "seqNo": next(self._ids),
        }
        payload["transactionInfo"] = transaction
        if kind == "Started":
            payload["evse"] = {"id": 1, "connectorId": 1}
        if register_wh is not None:
            context = {"Started": "Transaction.Begin", "Updated": "Sample.Periodic", "Ended": "Transaction.End"}[kind]
            value = {"value": register_wh, "context": context, "measurand": "Energy.Active.Import.Register"}
            payload["meterValue"] = [{"timestamp": at, "sampledValue": [value]}]
        if token is not None:
            payload["idToken"] = {"idToken": token, "type": "ISO14443"}
        return self.says_201("TransactionEvent", payload | more, after_s)

    def status_201(self, status: str, after_s: float = 1) -> Any:
        at = text_of(self.now + timedelta(seconds=after_s))
        payload = {"timestamp": at, "connectorStatus": status, "evseId": 1, "connectorId": 1}
        return self.says_201("StatusNotification", payload, after_s)
