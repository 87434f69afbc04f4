"""How does the curve of a settled session come to be read fast?

One job per session, queued in the commit that settles it: read its evidence, pack its curve, keep it. Done again it
writes the same, so a session whose late messages settle it anew has its curve packed anew.
"""

from collections.abc import Callable
from datetime import datetime

from laddbok.flow.changes import Changes
from laddbok.flow.packed_curve import pack
from laddbok.flow.store import LeasedJob, Store


class Packer:
    """Does jobs of kind `pack`; their key is the session id."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Pack the curve of one session."""
        evidence = await self._store.session_evidence(leased.job.tenant, leased.job.key)
        await self._store.commit(Changes(curves=[pack(evidence, self._now())]))
        return None
