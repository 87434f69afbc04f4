"""What does a request handler have at hand?

The pool, two clocks and the three caches of this process, in one bundle that the app carries. The business clock stamps
what happens in the business (it may be demo time); the wall clock governs log-ins and idempotency keys, which must not
end sixty times sooner in a demo.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from litestar import Request
from litestar.datastructures import State

from laddbok.api.attempts import Attempts
from laddbok.api.command_answers import CommandAnswers
from laddbok.api.live import Live
from laddbok.api.payment_wires import PaymentWires
from laddbok.api.prices import Prices
from laddbok.api.settings import ApiSettings
from laddbok.flow.billing_run import InTheWay, Planned
from laddbok.model.clock import Clock
from laddbok.model.proof import Checked, SignedReading
from laddbok.model.tariff import Tariff
from laddbok.store.people import Asker
from laddbok.store.reads import on_behalf

ApiRequest = Request[Asker, Any, State]
"""A request whose asker is known: `request.user`."""

ExportTariff = Callable[[Tariff, str, datetime], bytes]
"""Writes a tariff for others: the tariff, the wire, and when it was last written."""
CheckDocument = Callable[[Planned], Sequence[InTheWay]]
"""Finds what is in the way of a document becoming final."""


@dataclass(frozen=True)
class Parts:
    """Everything that handlers share."""

    settings: ApiSettings
    pool: asyncpg.Pool
    clock: Clock
    wall: Clock
    attempts: Attempts
    prices: Prices
    command_answers: CommandAnswers
    live: Live
    check_signed: Callable[[SignedReading], Checked]
    """Verifies a reading that a meter signed."""
    export_tariff: ExportTariff
    payments: PaymentWires
    """Reads banks' files and providers' callbacks."""
    check_document: CheckDocument
    """What is in the way of a document, asked before it takes a number."""
    receipt_views: Attempts
    """How often the pages of invoices were looked at."""
    receipt_writes: Attempts
    """How often something was written there, or a link was wrong."""


def parts_of(request: Request[Any, Any, State]) -> Parts:
    """The bundle that the app was built with."""
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts


def asked(request: ApiRequest, *, write: bool = False) -> AbstractAsyncContextManager[asyncpg.Connection]:
    """One transaction in the asker's name.

    Args: write: else it is read-only.
    """
    asker = request.user
    return on_behalf(
        parts_of(request).pool, asker.tenant, deployment_administrator=asker.deployment_administrator, write=write
    )
