"""Who bills a month?

A run goes through a seller's open positions, payer by payer, plans their documents and makes them final, some hundreds in
each transaction. It may be stopped or killed anywhere and started again: what is final stays, the rest is done then.
Without `final` it only counts what would happen.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from decimal import Decimal

import asyncpg
import msgspec

from laddbok.billing.credit import Credits
from laddbok.billing.draft import Period
from laddbok.flow.billing_run import AT_ONCE, Extras, InTheWay, Plan, Planned, ends_before, key_of, plan, sort_out
from laddbok.model.billing import ChargeKind, Customer, Position, SellerTerms
from laddbok.model.errors import Invalid
from laddbok.model.invoice import InvoiceKind
from laddbok.rating.month_fee import Month
from laddbok.store import billing
from laddbok.store.credits import with_credits
from laddbok.store.shared_parts import share_open_positions
from laddbok.store.sql import query
from laddbok.workers.contract_charges import ContractCharges

CUSTOMERS_AT_ONCE = 250
"""That are planned together; each has an invoice and seldom a credit note."""
NO_PAYER = "nobody pays for it: its contract had no payer when the session began, or there was no contract"
UNKNOWN_PAYER = "an agreement names it, and there is no such payer"
SHARED = "its month is shared with another payer, whose document is in the way"

Portion = list[tuple[Customer, list[Position]]]
"""Customers with what they have to pay."""
Check = Callable[[Planned], Sequence[InTheWay]]
"""What is in the way of a document becoming final."""


class RunResult(msgspec.Struct, kw_only=True):
    """What a run did, or would do. `net` is the sum of its documents, credit notes taken off; `sessions` counts a session for each
    who pays a part of it."""

    documents: int = 0
    sessions: int = 0
    customers: int = 0
    netted: int = 0
    nothing: int = 0
    net: Decimal = Decimal(0)
    in_the_way: list[InTheWay] = []


class BillingRun:
    """A run of one seller and period."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        reader: asyncpg.Connection,
        tenant: int,
        terms: SellerTerms,
        period: Period,
    ) -> None:
        """Args: reader, a second connection, on which what is to be billed is read in portions."""
        self._connection = connection
        self._reader = reader
        self._tenant = tenant
        self._terms = terms
        self._period = period
        month = Month(period.start.year, period.start.month)
        self._charges = ContractCharges(connection, tenant, terms, month)
        self._waiting: set[tuple[str, str]] = set()
        self.result = RunResult()

    @property
    def id(self) -> str:
        """Seller and period: the same run twice is the same run."""
        return f"{self._terms.seller.id}/{self._period.start:%Y-%m}"

    async def run(
        self,
        now: datetime,
        by: str,
        check: Check,
        *,
        final: bool,
        show: Callable[[RunResult], None],
        expected: int = 0,
    ) -> RunResult:
        """Bill the period.

        Args: check, what is in the way of a document, asked before any number is taken; final, False: nothing is written;
            show, told of every portion; expected, how many documents are expected.
        Raises: Invalid when the period has not begun: its fees would be charged, and everything that is open, for a slip of the pen.
        """
        if self._period.start > self._period.issue:
            raise Invalid("period", f"{self._period.start:%Y-%m} has not begun")
        if final:
            await self._connection.execute(
                query("run_begin"), self._tenant, self.id, self._terms.seller.id, self._period.start, self._period.end, now, by, expected
            )  # fmt: skip
        self.result.in_the_way += await self._charges.begin()
        async for portion in self._portions(final=final):
            await self._charges.read(position for _, positions in portion for position in positions)
            extras, chargeable = await self._extras(portion)
            planned = plan(self._terms, self._period, chargeable, await self._credits(portion), extras)
            await self._do(portion, planned, now, check, final=final)
            self.result.customers += len(portion)
            show(self.result)
        if final:
            await self._connection.execute(query("run_end"), self._tenant, self.id, now)
        return self.result

    async def _portions(self, *, final: bool) -> AsyncIterator[Portion]:
        """Customers with what they have to pay; what nobody pays for is told and left."""
        before = ends_before(self._period, self._terms)
        waiting: dict[str, list[Position]] = {}
        async for payer_id, positions in self._open_positions(before, final=final):
            if payer_id is None:
                left = await self._net(positions, final=final)
                self.result.in_the_way += [InTheWay(None, f"session {p.session_id}", NO_PAYER) for p in left[:100]]
                continue
            waiting[payer_id] = positions
            if len(waiting) == CUSTOMERS_AT_ONCE:
                yield await self._with_customers(waiting, final=final)
                waiting = {}
        if waiting:
            yield await self._with_customers(waiting, final=final)
        unasked = self._charges.payers_left()
        for first in range(0, len(unasked), CUSTOMERS_AT_ONCE):
            fees: dict[str, list[Position]] = {each: [] for each in unasked[first : first + CUSTOMERS_AT_ONCE]}
            yield await self._with_customers(fees, final=final)

    async def _open_positions(
        self, before: datetime, *, final: bool
    ) -> AsyncIterator[tuple[str | None, list[Position]]]:
        """Open positions, payer by payer, once those that several pay are shared out: for good, or for as long as a plan looks."""
        reading = self._reader.transaction()
        if final:
            async with self._connection.transaction():
                refused = await share_open_positions(self._connection, self._tenant, self._terms, before)
        await reading.start()
        try:
            if not final:
                refused = await share_open_positions(self._reader, self._tenant, self._terms, before)
            self.result.in_the_way += [InTheWay(None, f"session {key[0]}", why) for key, why in refused.items()]
            async for payer_id, positions in billing.open_positions(self._reader, self._tenant, self._terms, before):
                yield payer_id, [p for p in positions if (p.session_id, p.revision) not in refused]
        finally:
            await reading.rollback()

    async def _with_customers(self, waiting: dict[str, list[Position]], *, final: bool) -> Portion:
        found = await billing.customers(self._connection, self._tenant, list(waiting))
        for payer_id in [each for each in waiting if each not in found]:
            positions = waiting[payer_id]
            if await self._net(positions, final=final) or not positions:
                self.result.in_the_way.append(InTheWay(payer_id, "payer", UNKNOWN_PAYER))
        return [(found[payer_id], positions) for payer_id, positions in waiting.items() if payer_id in found]

    async def _net(self, positions: Sequence[Position], *, final: bool) -> Sequence[Position]:
        """Close what was credited before it was billed, or came to nothing: that needs nobody who pays. Returns: the rest."""
        netted, nothing, left = sort_out(positions)
        self.result.netted += len(netted)
        self.result.nothing += len(nothing)
        if final and (netted or nothing):
            keys = ([key_of(each) for each in netted], [key_of(each) for each in nothing])
            await billing.close_unbilled(self._connection, self._tenant, *keys)
        return left

    async def _extras(self, portion: Portion) -> tuple[dict[str, Extras], Portion]:
        """What contracts are charged beside their sessions, and the customers for whom that can be billed."""
        extras: dict[str, Extras] = {}
        chargeable: Portion = []
        for customer, positions in portion:
            payer_id = customer.buyer.id
            try:
                extras[payer_id] = await self._charges.extras(payer_id, positions)
            except Invalid as error:
                self.result.in_the_way.append(InTheWay(payer_id, error.field, error.reason))
                continue
            chargeable.append((customer, positions))
        return extras, chargeable

    async def _credits(self, portion: Portion) -> dict[str, Credits]:
        """The documents on which something is corrected, with what takes back from them."""
        numbers = {each.billed_on.number for _, positions in portion for each in positions if each.billed_on}
        return await with_credits(self._connection, self._tenant, self._terms.seller.id, numbers) if numbers else {}

    async def _do(self, portion: Portion, planned: Plan, now: datetime, check: Check, *, final: bool) -> None:
        self.result.in_the_way += planned.in_the_way
        ready = self._ready(planned, check)
        if final:
            if planned.netted or planned.nothing:
                await billing.close_unbilled(self._connection, self._tenant, planned.netted, planned.nothing)
            for start in range(0, len(ready), AT_ONCE):
                batch = ready[start : start + AT_ONCE]
                await billing.finalise(self._connection, self._tenant, self._terms, batch, self.id, now)
        self._count(planned, ready)

    def _ready(self, planned: Plan, check: Check) -> list[Planned]:
        """Documents with nothing in their way. Who shares a contract's month with a document that waits, waits with it: what
        included energy is left is not known before."""
        ready = []
        for each in planned.drafts:
            months = {(c.contract_id, c.month) for c in each.charges if c.kind is not ChargeKind.MONTH_FEE}
            shared = [
                InTheWay(each.customer.buyer.id, f"contract {c}", SHARED) for c, _ in sorted(months & self._waiting)
            ]
            stops = shared or check(each)
            self.result.in_the_way += stops
            if stops:
                self._waiting |= months
            else:
                ready.append(each)
        return ready

    def _count(self, planned: Plan, ready: Sequence[Planned]) -> None:
        result = self.result
        result.documents += len(ready)
        result.sessions += sum(len(each.positions) for each in ready)
        result.netted += len(planned.netted)
        result.nothing += len(planned.nothing)
        result.net += sum((_signed_net(each) for each in ready), Decimal(0))


def _signed_net(planned: Planned) -> Decimal:
    sign = -1 if planned.invoice.kind is InvoiceKind.CREDIT_NOTE else 1
    return sign * planned.invoice.totals.net
