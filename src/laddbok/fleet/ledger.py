"""What exactly did the virtual stations meter?

One record per transaction, kept by the station that metered it and never by what the central system answered. The
registers are the whole Wh that the station reported, so `energy_wh` is what a correct CDR must carry, to the Wh.

>>> from datetime import UTC, datetime
>>> began = datetime(2026, 1, 1, 8, tzinfo=UTC)
>>> record = TransactionRecord(key="LB-0001/1", station="LB-0001", evse_id=1, connector_id=1, id_token="04A1",
...                            start_register_wh=1000, started_at=began)
>>> record.end_register_wh = 8250
>>> record.energy_wh
7250
"""

from collections import Counter
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

MAX_RECORDS = 200_000
"""Most transactions that a record holds; then the oldest that are over and acknowledged are forgotten, and counted."""


MAX_ANSWERS = 1_000_000
"""Most answers that a record holds; those beyond are only counted."""

NEVER_KEPT = frozenset({"BootNotification", "Heartbeat"})
"""A central system may answer these from memory: they say nothing of a transaction."""


class Answered(msgspec.Struct, frozen=True):
    """A message of a station that the central system has answered, and so must never lose.

    `transaction`: the key of the transaction that it is about. `digest`: of both frames, `frames_digest`.
    """

    station: str
    message_id: str
    action: str
    transaction: str | None
    digest: bytes


def frames_digest(call: str | bytes, answer: str | bytes) -> bytes:
    """What tells this message with this answer from every other: SHA-256 of both frames, with a line feed between."""
    parts = (part.encode() if isinstance(part, str) else part for part in (call, answer))
    return sha256(b"\n".join(parts)).digest()


class TransactionRecord(msgspec.Struct, kw_only=True):
    """One transaction as its station knows it; `end_register_wh` and `ended_at` are None while it runs.

    `transaction_id` is None until it is known (in 1.6 the central system gives it). `acknowledged`: the central system
    has answered the message that ends it.
    """

    key: str
    station: str
    evse_id: int
    connector_id: int
    id_token: str | None
    start_register_wh: int
    started_at: datetime
    transaction_id: str | None = None
    end_register_wh: int | None = None
    ended_at: datetime | None = None
    unplugged_at: datetime | None = None
    stop_reason: str | None = None
    start_acknowledged: bool = False
    acknowledged: bool = False

    @property
    def energy_wh(self) -> int:
        """The metered energy [Wh], by the registers reported at both ends; 0 while the transaction runs."""
        return 0 if self.end_register_wh is None else self.end_register_wh - self.start_register_wh


class FleetRecord(msgspec.Struct, kw_only=True):
    """Everything that one fleet did, as it knows it itself.

    `lost_messages` counts transaction messages given up after the configured number of attempts, `skipped_samples`
    those that a full queue had no room for, `connection_errors` the failed connections by reason. `answers` is kept by
    who asks for it, by putting an empty list there before the run.
    """

    stations: int = 0
    frames_sent: int = 0
    frames_received: int = 0
    connections: int = 0
    tokens_refused: int = 0
    lost_messages: int = 0
    skipped_samples: int = 0
    forgotten_transactions: int = 0
    call_errors: Counter[str] = msgspec.field(default_factory=Counter)
    connection_errors: Counter[str] = msgspec.field(default_factory=Counter)
    transactions: list[TransactionRecord] = msgspec.field(default_factory=list)
    answers: list[Answered] | None = None
    forgotten_answers: int = 0

    def begin(self, record: TransactionRecord) -> None:
        """Enter a transaction that begins."""
        if len(self.transactions) >= MAX_RECORDS:
            kept = [old for old in self.transactions[: MAX_RECORDS // 2] if not old.acknowledged]
            kept += self.transactions[MAX_RECORDS // 2 :]
            self.forgotten_transactions += len(self.transactions) - len(kept)
            self.transactions = kept
        self.transactions.append(record)

    def answer(
        self, station: str, message_id: str, action: str, transaction: str | None, call: str, answer: str | bytes
    ) -> None:
        """Enter a message that was answered with a result, and the frames of both."""
        if self.answers is None or action in NEVER_KEPT:
            return
        if len(self.answers) >= MAX_ANSWERS:
            self.forgotten_answers += 1
            return
        self.answers.append(Answered(station, message_id, action, transaction, frames_digest(call, answer)))

    @property
    def live(self) -> int:
        """How many transactions run."""
        return sum(1 for record in self.transactions if record.ended_at is None)

    @property
    def finished(self) -> int:
        """How many transactions have ended."""
        return len(self.transactions) - self.live

    @property
    def unacknowledged(self) -> int:
        """How many ended transactions the central system has not yet acknowledged."""
        return sum(1 for record in self.transactions if record.ended_at is not None and not record.acknowledged)

    def summary(self) -> dict[str, Any]:
        """The counts without the transactions, as stable keys for `--json`."""
        return {
            "stations": self.stations,
            "connections": self.connections,
            "frames_sent": self.frames_sent,
            "frames_received": self.frames_received,
            "transactions_started": len(self.transactions),
            "transactions_finished": self.finished,
            "transactions_unacknowledged": self.unacknowledged,
            "energy_wh": sum(record.energy_wh for record in self.transactions),
            "tokens_refused": self.tokens_refused,
            "lost_messages": self.lost_messages,
            "skipped_samples": self.skipped_samples,
            "forgotten_transactions": self.forgotten_transactions,
            "call_errors": dict(self.call_errors),
            "connection_errors": dict(self.connection_errors),
        }
