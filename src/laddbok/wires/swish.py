"""How does Swish collect, and pay back?

A payment request is put under an id of ours, over mutual TLS; the payer says yes or no in the app on the phone. Swish calls
back, which nobody can verify, so it is only taken as a word to ask. A request put twice is refused as a used id; then the
first one counts, and is asked about. Swish can't hold an amount.
"""

import re
import ssl
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from laddbok.flow.payment_provider import (
    ProviderDown,
    ProviderRefused,
    ProviderState,
    ProviderStatus,
    RefundWanted,
    Wanted,
)
from laddbok.model.errors import Invalid
from laddbok.wires.provider_http import Answer, amount_of, call, refuse, text_of

STATUSES = {
    "CREATED": ProviderStatus.PENDING, "INITIATED": ProviderStatus.PENDING, "VALIDATED": ProviderStatus.PENDING,
    "DEBITED": ProviderStatus.PENDING, "PAID": ProviderStatus.PAID, "DECLINED": ProviderStatus.DECLINED,
    "ERROR": ProviderStatus.DECLINED, "CANCELLED": ProviderStatus.CANCELLED,
}  # fmt: skip
"""Source: Swish for Merchants, API reference, payment request and refund objects."""
USED_ID = "RP09"
"""The id was used before: by us, when the answer got lost."""
MAX_MESSAGE_CHARS = 50
_ID = re.compile(r"[0-9A-F]{32}")
_NOT_IN_MESSAGES = re.compile(r"[^\w :;.,?!()\"-]")


class SwishSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Swish is, which number is paid, and where it calls back."""

    url: str
    payee: str
    callback_url: str
    answer_s: float = 20.0


class Swish:
    """The provider. Source: Swish for Merchants, payment requests v2, refunds v2."""

    name = "swish"

    def __init__(self, settings: SwishSettings, tls: ssl.SSLContext | None) -> None:
        """Args: tls, with our certificate; None only for a source without TLS."""
        self._settings = settings
        self._tls = tls

    async def request(self, wanted: Wanted) -> ProviderState:
        """Ask a phone, or whoever scans the code, to pay. Raises: ProviderDown, ProviderRefused."""
        if wanted.is_hold or wanted.currency != "SEK":
            raise ProviderRefused("Swish collects kronor, and can't hold an amount")
        body = {
            "payeePaymentReference": wanted.id, "callbackUrl": self._settings.callback_url,
            "payeeAlias": self._settings.payee, "currency": "SEK", "amount": f"{wanted.amount:.2f}",
            "message": _NOT_IN_MESSAGES.sub(" ", wanted.message)[:MAX_MESSAGE_CHARS],
        } | ({"payerAlias": wanted.payer_alias} if wanted.payer_alias else {})  # fmt: skip
        answer = await self._call("PUT", f"/api/v2/paymentrequests/{wanted.id}", body)
        if answer.status >= 400 and USED_ID in _codes(answer):
            return await self.state(wanted.id, None)
        refuse(answer, _reason(answer))
        return ProviderState(status=ProviderStatus.PENDING, reference=wanted.id)

    async def state(self, request_id: str, reference: str | None) -> ProviderState:
        """How a request stands. Raises: ProviderDown, ProviderRefused."""
        return _state(await self._call("GET", f"/api/v1/paymentrequests/{request_id}"), request_id)

    async def cancel(self, request_id: str, reference: str | None) -> ProviderState:
        """Withdraw a request that was not answered yet. Raises: ProviderDown, ProviderRefused."""
        patch = [{"op": "replace", "path": "/status", "value": "cancelled"}]
        answer = await self._call("PATCH", f"/api/v1/paymentrequests/{request_id}", patch)
        return await self.state(request_id, None) if answer.status >= 400 else _state(answer, request_id)

    async def raise_hold(self, hold_id: str, reference: str, amount: Decimal, currency: str) -> ProviderState:
        """Raises: ProviderRefused: Swish holds nothing."""
        raise ProviderRefused("Swish can't hold an amount")

    async def capture(self, hold_id: str, reference: str, amount: Decimal, currency: str) -> ProviderState:
        """Raises: ProviderRefused: Swish holds nothing."""
        raise ProviderRefused("Swish can't hold an amount")

    async def refund(self, wanted: RefundWanted) -> ProviderState:
        """Pay back. Raises: ProviderDown, ProviderRefused."""
        body = {
            "originalPaymentReference": wanted.paid_by, "callbackUrl": self._settings.callback_url,
            "payerAlias": self._settings.payee, "currency": wanted.currency, "amount": f"{wanted.amount:.2f}",
            "payerPaymentReference": wanted.id,
        }  # fmt: skip
        answer = await self._call("PUT", f"/api/v2/refunds/{wanted.id}", body)
        if answer.status >= 400 and USED_ID in _codes(answer):
            return await self.refund_state(wanted.id, None)
        refuse(answer, _reason(answer))
        return ProviderState(status=ProviderStatus.PENDING, reference=wanted.id)

    async def refund_state(self, refund_id: str, reference: str | None) -> ProviderState:
        """How a refund stands. Raises: ProviderDown, ProviderRefused."""
        told = _state(await self._call("GET", f"/api/v1/refunds/{refund_id}"), refund_id)
        ended = (ProviderStatus.DECLINED, ProviderStatus.CANCELLED)
        return msgspec.structs.replace(told, status=ProviderStatus.FAILED) if told.status in ended else told

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> str:
        """Our id in a callback; nothing else of it is believed. Raises: Invalid."""
        try:
            request_id = text_of(msgspec.json.decode(body), "id")
        except (msgspec.DecodeError, RecursionError):
            request_id = None
        if request_id is None or not _ID.fullmatch(request_id):
            raise Invalid("id", "is not the id of a request")
        return request_id

    async def _call(self, method: str, path: str, body: object = None) -> Answer:
        kind = "application/json-patch+json" if method == "PATCH" else "application/json"
        content = None if body is None else msgspec.json.encode(body)
        return await call(
            method, self._settings.url.rstrip("/") + path, headers={"Content-Type": kind}, content=content,
            tls=self._tls, answer_s=self._settings.answer_s,
        )  # fmt: skip


def _state(answer: Answer, request_id: str) -> ProviderState:
    if answer.status == 404:
        return ProviderState(status=ProviderStatus.UNKNOWN)
    refuse(answer, _reason(answer))
    status = STATUSES.get(text_of(answer.body, "status") or "")
    if status is None:
        raise ProviderDown(f"Swish answers about {request_id} with a status that is not known")
    is_paid = status is ProviderStatus.PAID
    return ProviderState(
        status=status,
        reference=request_id,
        amount=amount_of(answer.body.get("amount"), "amount") if is_paid else Decimal(0),
        currency=text_of(answer.body, "currency") or "SEK",
        settled_as=text_of(answer.body, "paymentReference"),
        reason=text_of(answer.body, "errorMessage"),
    )


def _errors(answer: Answer) -> list[Any]:
    return answer.body if isinstance(answer.body, list) else [answer.body]


def _codes(answer: Answer) -> set[str | None]:
    return {text_of(each, "errorCode") for each in _errors(answer)}


def _reason(answer: Answer) -> str:
    told = (f"{text_of(each, 'errorCode') or ''} {text_of(each, 'errorMessage') or ''}" for each in _errors(answer))
    return "; ".join(told).strip()
