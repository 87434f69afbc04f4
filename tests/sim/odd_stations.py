"""Which habits do stations in the field have, beyond what the standard says?

The state machines of `laddbok.fleet`, each habit switched on for a station or not. None of them loses energy: what the
station meters is still told, only in an order or a form that misleads those who trust it too much.
"""

from datetime import datetime

from laddbok.fleet.outbox import Call, Outbox
from laddbok.fleet.outlet import Outlet, Transaction
from laddbok.fleet.station import StartCause, Station, StopCause
from laddbok.fleet.station16 import Station16
from laddbok.fleet.station201 import Station201

LARGE_WH = 2_000_000
"""A register above this can't be what a car took, so a start that says 0 gives itself away."""


class StatusFirst(Outbox):
    """Statuses overtake what is told of transactions (case S21)."""

    def take(self, at: datetime) -> tuple[str, Call] | None:
        if self._open is None and self._plain:
            call = self._plain.popleft()
            return self.open(call, at), call
        return super().take(at)


class OddStation:
    """Habits of stations in the field, on top of either protocol."""

    has_no_reading = False
    """Starts say 0 while it is offline (case S33)."""
    shows_odd_zero = False
    """Now and then a sample says 0 (case S36)."""
    names_no_transaction = False
    """1.6: samples name their connector only (case S10)."""
    talks_on = False
    """Samples of a transaction that is over (cases S23, S32)."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[call-arg]
        self.zeroed: set[str] = set()
        self._samples = 0

    def _tell_started(self, outlet: Outlet, transaction: Transaction, cause: StartCause, at: datetime) -> None:
        super()._tell_started(outlet, transaction, cause, at)  # type: ignore[misc]
        is_large = transaction.record.start_register_wh > LARGE_WH
        if self.has_no_reading and is_large and not self.is_online:  # type: ignore[attr-defined]
            payload = self.outbox.waiting()[-1].payload  # type: ignore[attr-defined]
            if "meterStart" in payload:
                payload["meterStart"] = 0
            else:
                payload["meterValue"][0]["sampledValue"][0]["value"] = 0
            self.zeroed.add(transaction.record.key)

    def tell_sample(self, outlet: Outlet, transaction: Transaction | None, context: str, at: datetime) -> None:
        super().tell_sample(outlet, transaction, context, at)  # type: ignore[misc]
        self._samples += 1
        is_one_of_many = transaction is not None and context == "Sample.Periodic"
        if is_one_of_many and self.shows_odd_zero and self._samples % 3 == 0:
            sampled = self.outbox.waiting()[-1].payload["meterValue"][0]["sampledValue"][0]  # type: ignore[attr-defined]
            sampled["value"] = type(sampled["value"])(0)

    def _tell_ended(self, outlet: Outlet, transaction: Transaction, cause: StopCause, at: datetime) -> None:
        super()._tell_ended(outlet, transaction, cause, at)  # type: ignore[misc]
        if self.talks_on:
            OddStation.tell_sample(self, outlet, transaction, "Sample.Periodic", at)

    def _final_payload(self, call: Call) -> dict[str, object]:
        payload: dict[str, object] = super()._final_payload(call)  # type: ignore[misc]
        if self.names_no_transaction and call.action == "MeterValues":
            return {name: value for name, value in payload.items() if name != "transactionId"}
        return payload


class Odd16(OddStation, Station16):
    pass


class Odd201(OddStation, Station201):
    pass


STATIONS: dict[str, type[Station]] = {"1.6": Odd16, "2.0.1": Odd201}
