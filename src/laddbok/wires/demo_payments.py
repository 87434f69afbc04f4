"""Which provider holds and takes amounts in a demo, where no money is?

One that says yes at once and remembers nothing: its own reference tells how much it holds, and that comes back with each
question. It is there only where time is a demo's (`LADDBOK_CLOCK`), never beside real stations.

>>> amount_in(reference_of(Decimal("500.00")))
Decimal('500.00')
"""

from collections.abc import Mapping
from decimal import Decimal

from laddbok.flow.payment_provider import ProviderState, ProviderStatus, RefundWanted, Wanted
from laddbok.model.errors import Invalid
from laddbok.model.money import number_of

NAME = "demo"


class DemoPayments:
    """A payment provider that says yes."""

    name = NAME

    async def request(self, wanted: Wanted) -> ProviderState:
        """Paid or held at once."""
        status = ProviderStatus.HELD if wanted.is_hold else ProviderStatus.PAID
        return _state(status, wanted.amount, wanted.currency)

    async def state(self, request_id: str, reference: str | None) -> ProviderState:
        """As its reference says; without one it was never asked."""
        if reference is None:
            return ProviderState(status=ProviderStatus.UNKNOWN)
        return _state(ProviderStatus.HELD, amount_in(reference))

    async def raise_hold(self, hold_id: str, reference: str, amount: Decimal, currency: str) -> ProviderState:
        """Held at once."""
        return _state(ProviderStatus.HELD, amount, currency)

    async def capture(self, hold_id: str, reference: str, amount: Decimal, currency: str) -> ProviderState:
        """Taken at once."""
        return _state(ProviderStatus.PAID, amount, currency)

    async def cancel(self, request_id: str, reference: str | None) -> ProviderState:
        """Released at once."""
        return ProviderState(status=ProviderStatus.CANCELLED, reference=reference)

    async def refund(self, wanted: RefundWanted) -> ProviderState:
        """Paid back at once."""
        return _state(ProviderStatus.PAID, wanted.amount, wanted.currency)

    async def refund_state(self, refund_id: str, reference: str | None) -> ProviderState:
        """It remembers none: asked again, it is paid back."""
        return ProviderState(status=ProviderStatus.UNKNOWN)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> str:
        """It never calls back. Raises: Invalid."""
        raise Invalid("body", "the demo's provider calls nobody back")


def reference_of(amount: Decimal) -> str:
    """The reference under which so much is held."""
    return f"{NAME}-{amount}"


def amount_in(reference: str) -> Decimal:
    """How much is held under a reference; nothing, when it is none of its own."""
    return number_of(reference.removeprefix(f"{NAME}-")) or Decimal(0)


def _state(status: ProviderStatus, amount: Decimal, currency: str = "SEK") -> ProviderState:
    return ProviderState(status=status, reference=reference_of(amount), amount=amount, currency=currency)
