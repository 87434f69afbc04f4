"""What do we ask of a provider of payments?

Few things, each of which may be asked again: to collect or hold an amount, how that stands, to capture or release what is
held, to pay back. Whatever is asked carries an id of ours, so that an answer that got lost costs nothing: asked again, it is
the same request. A callback only says that something may have happened; how it stands is asked.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

from laddbok.model.errors import LaddbokError


class ProviderDown(LaddbokError):
    """No answer, or none that can be used: whether it was done is not known. Later it can be asked again."""


class ProviderRefused(LaddbokError):
    """The provider will not do it, and says why; asked again it would say the same."""


class ProviderStatus(StrEnum):
    """How a request stands with the provider."""

    UNKNOWN = "unknown"
    """It has never heard of it."""
    PENDING = "pending"
    HELD = "held"
    PAID = "paid"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """Of a refund: it will not be paid."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be collected, or (`is_hold`) held. `id`: ours, 32 hexadecimal digits."""

    id: str
    amount: Decimal
    currency: str
    message: str
    payer_alias: str | None = None
    """The phone number that is asked to pay, where the provider wants one."""
    is_hold: bool = False


class RefundWanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paid back of which payment. `id`: ours, as of a request; `paid_by`: the provider's own id of the payment."""

    id: str
    amount: Decimal
    currency: str
    paid_by: str


class ProviderState(msgspec.Struct, frozen=True, kw_only=True):
    """How something stands. `amount`: what is held, paid or paid back; `settled_as`: what a bank's file calls the payment."""

    status: ProviderStatus
    reference: str | None = None
    amount: Decimal = Decimal(0)
    currency: str = "SEK"
    settled_as: str | None = None
    reason: str | None = None


class PaymentProvider(Protocol):
    """A provider. Every method but the last may raise ProviderDown and ProviderRefused."""

    name: str

    async def request(self, wanted: Wanted) -> ProviderState:
        """Ask to collect or hold an amount; asked again under the same id it is the same request."""
        ...

    async def state(self, request_id: str, reference: str | None) -> ProviderState:
        """How a request stands. Args: reference, the provider's own, if it told one."""
        ...

    async def raise_hold(self, hold_id: str, reference: str, amount: Decimal, currency: str) -> ProviderState:
        """Hold so much instead, which is more."""
        ...

    async def capture(self, hold_id: str, reference: str, amount: Decimal, currency: str) -> ProviderState:
        """Take so much of what is held, and release the rest."""
        ...

    async def cancel(self, request_id: str, reference: str | None) -> ProviderState:
        """Withdraw a request, or release what is held. Returns: how it stands; it may have been paid meanwhile."""
        ...

    async def refund(self, wanted: RefundWanted) -> ProviderState:
        """Pay back; asked again under the same id it is the same refund."""
        ...

    async def refund_state(self, refund_id: str, reference: str | None) -> ProviderState:
        """How a refund stands."""
        ...

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id, ours or the provider's, that a callback is about. Args: headers, by lower-case name.

        Raises: Invalid when it is not from the provider, or can't be read.
        """
        ...
