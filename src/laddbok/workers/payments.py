"""Who asks providers how payments, holds and refunds stand?

One job for each, which comes again later and later until what it asks about has ended, and some time on, for money may come
after a request was cancelled. The provider is asked first, then what follows is decided (flow.card_payments), then it is
written: a worker that dies in between asks again, and the same answer twice is written once.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from laddbok.flow.card_payments import HOLD_ASK, Cost, Hold, HoldDo, HoldStep, Request, after, back_off, hold_step
from laddbok.flow.payment_provider import (
    PaymentProvider,
    ProviderDown,
    ProviderRefused,
    ProviderState,
    ProviderStatus,
    RefundWanted,
    Wanted,
)
from laddbok.flow.store import LeasedJob
from laddbok.model.errors import LaddbokError, NotFound
from laddbok.store.database import borrowed
from laddbok.store.payment_moves import refund_failed, refund_left
from laddbok.store.payment_requests import hold_became, request_became, stored
from laddbok.store.sql import query

log = logging.getLogger(__name__)

Providers = Mapping[str, PaymentProvider]
CostOf = Callable[[int, str], Awaitable[Cost | None]]
"""What a session comes to, or came to; None: it is not known yet. Args: tenant, session id."""
StopSession = Callable[[int, str], Awaitable[None]]
"""Asks the station to stop a session. Raises: LaddbokError when it can't be asked."""
_UNKNOWN = ProviderState(status=ProviderStatus.UNKNOWN)


class Payments:
    """What the jobs share."""

    def __init__(self, pool: asyncpg.Pool, providers: Providers, now: Callable[[], datetime]) -> None:
        self.pool = pool
        self.now = now
        self._providers = providers

    def provider(self, name: str) -> PaymentProvider:
        """The provider of this name. Raises: NotFound: it is not set up any more."""
        if name not in self._providers:
            raise NotFound("provider of payments", name)
        return self._providers[name]

    async def row(self, leased: LeasedJob, name: str) -> tuple[int, dict[str, Any]]:
        """The tenant and the row that a job is about."""
        tenant, _, key = leased.job.key.partition("/")
        async with borrowed(self.pool) as connection:
            return int(tenant), dict(await stored(connection, int(tenant), name, key))


class PaymentAsker(Payments):
    """Does jobs of kind `ask_payment`: sends a request, and asks about it."""

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Ask once. Returns: when to ask again."""
        tenant, row = await self.row(leased, "payment_request")
        provider = self.provider(row["provider"])
        request = Request(
            state=row["state"], amount=row["amount"], currency=row["currency"], age=self.now() - row["created_at"],
        )  # fmt: skip
        try:
            told = await self._told(provider, row)
            step = after(request, told)
            if step.send_again:
                told = await provider.request(_wanted(row))
                step = after(request, told)
            elif step.cancel:
                told = await provider.cancel(row["id"], row["provider_reference"])
                step = after(request, told) if told.status is ProviderStatus.PAID else step
        except ProviderDown as error:
            log.warning("payment request %s: %s", row["id"], error)
            return self.now() + back_off(request.age)
        except ProviderRefused as error:
            told = ProviderState(status=ProviderStatus.DECLINED, reason=str(error))
            step = after(request, told)
        async with borrowed(self.pool) as connection:
            await request_became(connection, tenant, row["id"], step, told, self.now())
        return None if step.again_in is None else self.now() + step.again_in

    async def _told(self, provider: PaymentProvider, row: Mapping[str, Any]) -> ProviderState:
        """How it stands; what was never sent is not asked about."""
        if row["state"] == "wanted" and row["provider_reference"] is None and not row["tries"]:
            return _UNKNOWN
        return await provider.state(row["id"], row["provider_reference"])


class RefundSender(Payments):
    """Does jobs of kind `send_refund`: sends a refund, and asks about it until it is paid or will not be."""

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Send or ask once. Returns: when to ask again."""
        tenant, row = await self.row(leased, "refund")
        if row["state"] not in ("requested", "sent"):
            return None
        again_at = self.now() + back_off(self.now() - row["requested_at"])
        try:
            told = await self._told(self.provider(row["provider"]), row)
        except ProviderDown as error:
            log.warning("refund %s: %s", row["id"], error)
            return again_at
        except ProviderRefused as error:
            told = ProviderState(status=ProviderStatus.FAILED, reason=str(error))
        async with borrowed(self.pool) as connection:
            if told.status is ProviderStatus.PAID:
                await refund_left(connection, tenant, row["id"], told.reference or row["id"], self.now())
            elif told.status is ProviderStatus.FAILED:
                await refund_failed(connection, tenant, row["id"], told.reason or "the provider refused", self.now())
            else:
                await connection.fetchval(
                    query("refund_becomes"), tenant, row["id"], "sent", told.reference, told.reason, None
                )
                return again_at
        return None

    async def _told(self, provider: PaymentProvider, row: Mapping[str, Any]) -> ProviderState:
        if row["state"] == "sent":
            told = await provider.refund_state(row["id"], row["provider_reference"])
            if told.status is not ProviderStatus.UNKNOWN:
                return told
        paid_by = row["hold_reference"] or row["reference"]
        return await provider.refund(
            RefundWanted(id=row["id"], amount=row["amount"], currency=row["currency"], paid_by=paid_by)
        )


class HoldKeeper(Payments):
    """Does jobs of kind `card_hold`: keeps a hold above its session's cost, and takes or releases it in the end."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        providers: Providers,
        now: Callable[[], datetime],
        cost_of: CostOf,
        stop_session: StopSession,
    ) -> None:
        super().__init__(pool, providers, now)
        self._cost_of = cost_of
        self._stop_session = stop_session

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Look once. Returns: when to look again."""
        tenant, row = await self.row(leased, "card_hold")
        if row["ended_at"] is not None:
            return None
        hold = Hold(
            state=row["state"], amount=row["amount"], held=row["held"], highest=row["highest"],
            is_stopping=row["stop_asked_at"] is not None, age=self.now() - row["created_at"],
        )  # fmt: skip
        try:
            told, step = await self._look(self.provider(row["provider"]), tenant, row, hold)
        except ProviderDown as error:
            log.warning("card hold %s: %s", row["id"], error)
            return self.now() + HOLD_ASK
        stops = step.do is HoldDo.STOP and await self._stop(tenant, row["session_id"])
        async with borrowed(self.pool) as connection:
            await hold_became(connection, tenant, row["id"], step, told, self.now(), is_stopping=stops)
        return None if step.do is HoldDo.END else self.now() + HOLD_ASK

    async def _look(
        self, provider: PaymentProvider, tenant: int, row: Mapping[str, Any], hold: Hold
    ) -> tuple[ProviderState, HoldStep]:
        """How the hold stands, and what was done about it; what ended it shows in the answer to doing it."""
        reference = row["provider_reference"]
        told = (
            _UNKNOWN if row["state"] == "wanted" and reference is None else await provider.state(row["id"], reference)
        )
        cost = await self._cost_of(tenant, row["session_id"])
        step = hold_step(hold, told, cost)
        try:
            told = await self._done(provider, row, step, told)
        except ProviderRefused as error:
            log.warning("card hold %s: %s", row["id"], error)
            return msgspec.structs.replace(told, reason=str(error)), _after_refusal(step)
        ended = (ProviderStatus.PAID, ProviderStatus.CANCELLED, ProviderStatus.DECLINED)
        if step.do is not HoldDo.END and told.status in ended:
            held = msgspec.structs.replace(hold, held=max(hold.held, row["held"], step.amount))
            return told, msgspec.structs.replace(hold_step(held, told, cost), not_covered=step.not_covered)
        return told, step

    async def _done(
        self, provider: PaymentProvider, row: Mapping[str, Any], step: HoldStep, told: ProviderState
    ) -> ProviderState:
        reference = told.reference or row["provider_reference"]
        match step.do:
            case HoldDo.SEND:
                return await provider.request(_wanted(row, is_hold=True))
            case HoldDo.RAISE if reference:
                return await provider.raise_hold(row["id"], reference, step.amount, row["currency"])
            case HoldDo.CAPTURE if reference:
                return await provider.capture(row["id"], reference, step.amount, row["currency"])
            case HoldDo.RELEASE:
                return await provider.cancel(row["id"], reference)
            case _:
                return told

    async def _stop(self, tenant: int, session_id: str) -> bool:
        try:
            await self._stop_session(tenant, session_id)
        except LaddbokError as error:
            log.warning("session %s can't be stopped before it passes its hold: %s", session_id, error)
            return False
        return True


def _after_refusal(step: HoldStep) -> HoldStep:
    """A hold that can't be raised stops its session; one that can't be made has failed; what can't be taken is for a person."""
    if step.do is HoldDo.RAISE:
        return HoldStep(do=HoldDo.STOP, state="held")
    if step.do is HoldDo.SEND:
        return HoldStep(do=HoldDo.END, state="failed")
    return msgspec.structs.replace(step, do=HoldDo.WAIT)


def _wanted(row: Mapping[str, Any], *, is_hold: bool = False) -> Wanted:
    return Wanted(
        id=row["id"], amount=row["amount"], currency=row["currency"], is_hold=is_hold,
        message=row.get("message") or f"Laddning {row['session_id']}", payer_alias=row.get("payer_alias"),
    )  # fmt: skip
