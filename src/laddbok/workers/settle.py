"""How does a finished session become a CDR?

One job per session: read its evidence, let `charge_to_cash.settle` decide, commit. If somebody moved the session
meanwhile nothing is written and the job comes again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from laddbok.flow.changes import Changes, Job, Stale
from laddbok.flow.charge_to_cash import settle
from laddbok.flow.corrected_start import terms_of_start
from laddbok.flow.market_prices import ASK_AGAIN, PricesWanted, record_of
from laddbok.flow.packed_curve import PACK
from laddbok.flow.store import LeasedJob, Store
from laddbok.model.session import OPEN_STATES, Session

AFTER_STALE = timedelta(seconds=1)


class Settler:
    """Does jobs of kind `settle`; their key is the session id."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Settle one session. Returns: when to try again, if it is not time yet."""
        evidence = await self._store.session_evidence(leased.job.tenant, leased.job.key)
        now = self._now()
        settlement = settle(evidence, now)
        if settlement.question is not None:
            [found] = await self._store.look_up([settlement.question])
            await self._store.commit(Changes(decisions=terms_of_start(evidence, found, now)))
            return now
        if settlement.prices is not None:
            return await self._look_up_prices(settlement.prices, now)
        if (changes := settlement.changes) is not None:
            changes.jobs += [_packing(each, now) for each in changes.moved if each.state not in OPEN_STATES]
            try:
                await self._store.commit(changes)
            except Stale:
                return self._now() + AFTER_STALE
        return settlement.again_at

    async def _look_up_prices(self, wanted: PricesWanted, now: datetime) -> datetime:
        """Record the market's prices with the session; while one is missing it waits, without limit (case B37)."""
        found = await self._store.spot_prices(
            wanted.tenant, wanted.zone, wanted.currency, wanted.start_at, wanted.end_at
        )
        record = record_of(wanted, found, now)
        if record is None:
            return now + ASK_AGAIN
        await self._store.commit(Changes(decisions=[record]))
        return now


def _packing(session: Session, now: datetime) -> Job:
    return Job(tenant=session.tenant, kind=PACK, key=session.id, due_at=now)
