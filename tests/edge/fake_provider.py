"""A provider of payments over real HTTP, in the shapes of Swish and of Stripe, that behaves as badly as a test tells it to.

It calls back twice, late, never, before its answer, or out of order; answers 500, or nothing at all, after it did what it was
asked; says another amount than was asked for. What it did is in `intents` and `refunds`, for the test to compare.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx

from laddbok.wires.stripe import sign
from tests.edge.web_server import Requests, serving

NO_ANSWER_S = 1.0


@dataclass
class Intent:
    """A payment as the provider sees it; amounts in öre."""

    id: str
    minor: int
    status: str
    held: int = 0
    received: int = 0
    paid_back: int = 0
    key: str = ""


@dataclass
class FakeProvider:
    """Where it listens, what it knows, and how it misbehaves next."""

    url: str
    callback_url: str = ""
    webhook_secret: str = "whsec-test"
    intents: dict[str, Intent] = field(default_factory=dict)
    refunds: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    """Refund id: intent, amount, status."""
    asked: list[str] = field(default_factory=list)
    answers_500: int = 0
    """So many answers are 500, after the thing was done."""
    loses: str = ""
    """The next answer to what has this in its path is 500, after the thing was done."""
    silent: int = 0
    """So many answers never come, after the thing was done."""
    calls_back: int = 1
    """How often each change is called back; 0: never."""
    calls_back_first: bool = False
    """Whether it calls back before it answers."""
    refund_status: str = "succeeded"
    callbacks: list[int] = field(default_factory=list)
    """The statuses with which its callbacks were answered."""
    may_raise: bool = True

    def pay(self, intent_id: str, minor: int | None = None) -> None:
        """The payer says yes. Args: minor, when another amount is paid than was asked for."""
        intent = self.intents[intent_id]
        intent.status, intent.received = "PAID", intent.minor if minor is None else minor
        self.call_back(intent_id)

    def authorise(self, intent_id: str) -> None:
        """The card's issuer sets the amount aside."""
        intent = self.intents[intent_id]
        intent.status, intent.held = "requires_capture", intent.minor
        self.call_back(intent_id)

    def become(self, intent_id: str, status: str) -> None:
        """It ends in another way."""
        self.intents[intent_id].status = status
        self.call_back(intent_id)

    def call_back(self, intent_id: str) -> None:
        """Tell it as often as it is set to."""
        for _ in range(self.calls_back if self.callback_url else 0):
            self.callbacks.append(self._told(intent_id).status_code)

    def _told(self, intent_id: str) -> httpx.Response:
        if not intent_id.startswith("pi_"):
            intent = self.intents[intent_id]
            body = {"id": intent_id, "status": intent.status, "amount": intent.minor / 100}
            return httpx.post(f"{self.callback_url}/swish", json=body, timeout=10)
        content = json.dumps({"data": {"object": {"id": intent_id}}}).encode()
        signature = sign(content, int(time.time()), self.webhook_secret)
        return httpx.post(
            f"{self.callback_url}/stripe", content=content, headers={"Stripe-Signature": signature}, timeout=10
        )


Told = tuple[int, Any]


def swish(fake: FakeProvider, method: str, path: str, body: Any) -> Told:
    """Answer as Swish does."""
    *_, what, name = path.split("/")
    if what == "refunds":
        if method == "PUT":
            if name in fake.refunds:
                return 422, [{"errorCode": "RP09", "errorMessage": "InstructionUUID not available"}]
            minor = round(float(body["amount"]) * 100)
            paid = next(each for each in fake.intents.values() if each.key == body["originalPaymentReference"])
            if paid.paid_back + minor > paid.received:
                return 422, [{"errorCode": "RF03", "errorMessage": "Amount too high"}]
            paid.paid_back += minor
            fake.refunds[name] = (paid.id, minor, "PAID" if fake.refund_status == "succeeded" else "ERROR")
            return 201, None
        known = fake.refunds.get(name)
        return (404, None) if known is None else (200, {"id": name, "status": known[2], "amount": known[1] / 100})
    if method == "PUT":
        if name in fake.intents:
            return 422, [{"errorCode": "RP09", "errorMessage": "InstructionUUID not available"}]
        fake.intents[name] = Intent(name, round(float(body["amount"]) * 100), "CREATED", key=f"SWISHREF{name[:12]}")
        return 201, None
    intent = fake.intents.get(name)
    if intent is None:
        return 404, None
    if method == "PATCH":
        if intent.status != "CREATED":
            return 422, [{"errorCode": "RP07", "errorMessage": "Payment request cannot be cancelled"}]
        intent.status = "CANCELLED"
    told = {"id": name, "status": intent.status, "amount": (intent.received or intent.minor) / 100, "currency": "SEK"}
    return 200, told | ({"paymentReference": intent.key} if intent.status == "PAID" else {})


def stripe(fake: FakeProvider, method: str, path: str, fields: dict[str, str], key: str) -> Told:
    """Answer as Stripe does."""
    if path == "/v1/refunds":
        for refund_id, (_, minor, status) in fake.refunds.items():
            if refund_id == f"re_{key}":
                return 200, {"id": refund_id, "status": status, "amount": minor, "currency": "sek"}
        intent, minor = fake.intents[fields["payment_intent"]], int(fields["amount"])
        if intent.paid_back + minor > intent.received:
            return 400, {"error": {"code": "charge_already_refunded", "message": "too much"}}
        intent.paid_back += minor
        fake.refunds[f"re_{key}"] = (intent.id, minor, fake.refund_status)
        return 200, {"id": f"re_{key}", "status": fake.refund_status, "amount": minor, "currency": "sek"}
    if path == "/v1/payment_intents":
        intent_id = f"pi_{key}"
        fake.intents.setdefault(intent_id, Intent(intent_id, int(fields["amount"]), "requires_payment_method"))
        return 200, seen(fake.intents[intent_id])
    intent_id, _, deed = path.removeprefix("/v1/payment_intents/").partition("/")
    intent = fake.intents[intent_id]
    if deed == "increment_authorization":
        if not fake.may_raise:
            return 400, {"error": {"code": "incremental_authorization_not_supported", "message": "no"}}
        intent.held = intent.minor = int(fields["amount"])
    if deed == "capture" and intent.status == "requires_capture":
        assert int(fields["amount_to_capture"]) <= intent.held
        intent.received, intent.held, intent.status = int(fields["amount_to_capture"]), 0, "succeeded"
    if deed == "cancel":
        if intent.status == "succeeded":
            return 400, {"error": {"code": "payment_intent_unexpected_state", "message": "it has succeeded"}}
        intent.held, intent.status = 0, "canceled"
    return 200, seen(intent)


def seen(intent: Intent) -> dict[str, Any]:
    """An intent in Stripe's words."""
    return {
        "id": intent.id, "status": intent.status, "currency": "sek", "amount": intent.minor,
        "amount_capturable": intent.held, "amount_received": intent.received,
    }  # fmt: skip


@contextmanager
def fake_provider() -> Iterator[FakeProvider]:
    """One on a free port."""
    fake = FakeProvider("")

    class ProviderRequests(Requests):
        def _do(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fake.asked.append(f"{self.command} {self.path}")
            if self.path.startswith("/v1/"):
                fields = {name: values[0] for name, values in parse_qs(content.decode()).items()}
                code, told = stripe(fake, self.command, self.path, fields, self.headers.get("Idempotency-Key") or "")
            else:
                code, told = swish(fake, self.command, self.path, json.loads(content) if content else None)
            if fake.calls_back_first:
                fake.call_back(told["id"] if isinstance(told, dict) else self.path.rpartition("/")[2])
            self._answer(code, told)

        do_GET = do_PUT = do_POST = do_PATCH = _do

        def _answer(self, code: int, told: Any) -> None:
            if fake.silent:
                fake.silent -= 1
                time.sleep(NO_ANSWER_S)
                self.close_connection = True
                return
            if fake.answers_500 or (fake.loses and fake.loses in self.path):
                fake.answers_500, fake.loses = max(0, fake.answers_500 - 1), ""
                code, told = 500, None
            body = b"" if told is None else json.dumps(told).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(ProviderRequests) as address:
        fake.url = address
        yield fake
