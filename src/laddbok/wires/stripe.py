"""How does Stripe hold, capture, and pay back?

A hold is a payment intent that is captured by hand; each write carries an idempotency key made of our id, so that a lost
answer is asked for again. A webhook is signed with a secret over its time and body; even then it is only a word to ask.

>>> signature = sign(b'{"data": {"object": {"id": "pi_1"}}}', 1_795_000_000, "whsec")
>>> verified(b'{"data": {"object": {"id": "pi_1"}}}', signature, "whsec", 1_795_000_100)
'pi_1'
"""

import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import msgspec

from laddbok.flow.payment_provider import ProviderDown, ProviderState, ProviderStatus, RefundWanted, Wanted
from laddbok.model.errors import Invalid
from laddbok.model.money import from_minor, to_minor
from laddbok.wires.provider_http import Answer, amount_of, call, refuse, text_of

STATUSES = {
    "requires_payment_method": ProviderStatus.PENDING, "requires_confirmation": ProviderStatus.PENDING,
    "requires_action": ProviderStatus.PENDING, "processing": ProviderStatus.PENDING,
    "requires_capture": ProviderStatus.HELD, "succeeded": ProviderStatus.PAID, "canceled": ProviderStatus.CANCELLED,
}  # fmt: skip
"""Source: Stripe API, PaymentIntent.status."""
REFUNDS = {
    "pending": ProviderStatus.PENDING, "requires_action": ProviderStatus.PENDING, "succeeded": ProviderStatus.PAID,
    "failed": ProviderStatus.FAILED, "canceled": ProviderStatus.FAILED,
}  # fmt: skip
"""Source: Stripe API, Refund.status."""
VERSION = "2024-06-20"
TOLERANCE_S = 300
"""How old a signature may be. Source: Stripe, "Verify webhook signatures"."""


class StripeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Stripe is, and the secrets that we share with it."""

    url: str
    key: str
    webhook_secret: str
    answer_s: float = 20.0


class Stripe:
    """The provider. `now_s`: the time of day by which signatures age [s]."""

    name = "stripe"

    def __init__(self, settings: StripeSettings, now_s: Callable[[], int]) -> None:
        self._settings = settings
        self._now_s = now_s

    async def request(self, wanted: Wanted) -> ProviderState:
        """Make a payment intent; who pays it is settled in the browser or the terminal. Raises: ProviderDown, ProviderRefused."""
        fields = {
            "amount": str(to_minor(wanted.amount, wanted.currency)), "currency": wanted.currency.lower(),
            "capture_method": "manual" if wanted.is_hold else "automatic", "description": wanted.message[:200],
            "metadata[laddbok]": wanted.id,
        }  # fmt: skip
        if wanted.is_hold:
            fields["payment_method_options[card][request_incremental_authorization]"] = "if_available"
        return _intent(await self._post("/v1/payment_intents", fields, f"request-{wanted.id}"))

    async def state(self, request_id: str, reference: str | None) -> ProviderState:
        """How an intent stands. Raises: ProviderDown, ProviderRefused."""
        if reference is None:
            return ProviderState(status=ProviderStatus.UNKNOWN)
        return _intent(await self._call("GET", f"/v1/payment_intents/{reference}"))

    async def raise_hold(self, hold_id: str, reference: str, amount: Decimal, currency: str) -> ProviderState:
        """Hold so much instead. Raises: ProviderDown, ProviderRefused: the card can't be asked for more."""
        minor = to_minor(amount, currency)
        path = f"/v1/payment_intents/{reference}/increment_authorization"
        return _intent(await self._post(path, {"amount": str(minor)}, f"raise-{hold_id}-{minor}"))

    async def capture(self, hold_id: str, reference: str, amount: Decimal, currency: str) -> ProviderState:
        """Take so much of what is held. Raises: ProviderDown, ProviderRefused."""
        fields = {"amount_to_capture": str(to_minor(amount, currency))}
        answer = await self._post(f"/v1/payment_intents/{reference}/capture", fields, f"capture-{hold_id}")
        return await self.state(hold_id, reference) if answer.status >= 400 else _intent(answer)

    async def cancel(self, request_id: str, reference: str | None) -> ProviderState:
        """Withdraw an intent, or release what it holds. Raises: ProviderDown, ProviderRefused."""
        if reference is None:
            return ProviderState(status=ProviderStatus.UNKNOWN)
        answer = await self._post(f"/v1/payment_intents/{reference}/cancel", {}, f"cancel-{request_id}")
        return await self.state(request_id, reference) if answer.status >= 400 else _intent(answer)

    async def refund(self, wanted: RefundWanted) -> ProviderState:
        """Pay back. Raises: ProviderDown, ProviderRefused."""
        fields = {
            "payment_intent": wanted.paid_by, "amount": str(to_minor(wanted.amount, wanted.currency)),
            "metadata[laddbok]": wanted.id,
        }  # fmt: skip
        return _refund(await self._post("/v1/refunds", fields, f"refund-{wanted.id}"))

    async def refund_state(self, refund_id: str, reference: str | None) -> ProviderState:
        """How a refund stands. Raises: ProviderDown, ProviderRefused."""
        if reference is None:
            return ProviderState(status=ProviderStatus.UNKNOWN)
        return _refund(await self._call("GET", f"/v1/refunds/{reference}"))

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id of the intent that a signed webhook is about. Raises: Invalid."""
        return verified(body, headers.get("stripe-signature", ""), self._settings.webhook_secret, self._now_s())

    async def _post(self, path: str, fields: Mapping[str, str], key: str) -> Answer:
        return await self._call("POST", path, urlencode(fields).encode(), {"Idempotency-Key": key})

    async def _call(
        self, method: str, path: str, content: bytes | None = None, more: Mapping[str, str] | None = None
    ) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._settings.key}", "Stripe-Version": VERSION,
            "Content-Type": "application/x-www-form-urlencoded", **(more or {}),
        }  # fmt: skip
        return await call(
            method, self._settings.url.rstrip("/") + path, headers=headers, content=content,
            answer_s=self._settings.answer_s,
        )  # fmt: skip


def sign(body: bytes, at_s: int, secret: str) -> str:
    """The signature of a webhook. Source: Stripe, "Verify webhook signatures"."""
    digest = hmac.new(secret.encode(), b"%d." % at_s + body, sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def verified(body: bytes, signature: str, secret: str, now_s: int) -> str:
    """The object's id in a webhook whose signature is right and not old. Raises: Invalid."""
    pairs = [part.partition("=")[::2] for part in signature[:1_000].split(",")]
    at = next((value for name, value in pairs if name == "t"), "")
    if not at.isdecimal() or len(at) > 12 or abs(now_s - int(at)) > TOLERANCE_S:
        raise Invalid("Stripe-Signature", "has no time, or is too old")
    wanted = sign(body, int(at), secret).rpartition("=")[2]
    if not any(name == "v1" and hmac.compare_digest(value.encode(), wanted.encode()) for name, value in pairs):
        raise Invalid("Stripe-Signature", "is not right")
    try:
        about = msgspec.json.decode(body)["data"]["object"]
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError):
        raise Invalid("body", "is not an event") from None
    found = text_of(about, "payment_intent") or text_of(about, "id")
    if found is None:
        raise Invalid("data.object.id", "is missing")
    return found


def _intent(answer: Answer) -> ProviderState:
    if answer.status == 404:
        return ProviderState(status=ProviderStatus.UNKNOWN)
    refuse(answer, _reason(answer))
    status = STATUSES.get(text_of(answer.body, "status") or "")
    reference = text_of(answer.body, "id")
    if status is None or reference is None:
        raise ProviderDown("Stripe answers with an intent that can't be read")
    currency = (text_of(answer.body, "currency") or "").upper()
    names = {ProviderStatus.HELD: "amount_capturable", ProviderStatus.PAID: "amount_received"}
    amount = _amount(answer.body, names[status], currency) if status in names else Decimal(0)
    return ProviderState(status=status, reference=reference, amount=amount, currency=currency, settled_as=reference)


def _refund(answer: Answer) -> ProviderState:
    refuse(answer, _reason(answer))
    status = REFUNDS.get(text_of(answer.body, "status") or "")
    reference = text_of(answer.body, "id")
    if status is None or reference is None:
        raise ProviderDown("Stripe answers with a refund that can't be read")
    currency = (text_of(answer.body, "currency") or "").upper()
    return ProviderState(
        status=status, reference=reference, amount=_amount(answer.body, "amount", currency), currency=currency,
        reason=text_of(answer.body, "failure_reason"),
    )  # fmt: skip


def _amount(body: Any, name: str, currency: str) -> Decimal:
    return from_minor(int(amount_of(body.get(name), name)), currency)


def _reason(answer: Answer) -> str:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return f"{text_of(error, 'code') or ''} {text_of(error, 'message') or ''}".strip()
