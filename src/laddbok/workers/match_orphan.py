"""Who matches an orphan, once a person said to what?

One job per orphan, its key is where the frame stands: station, epoch, number. The person's wish lies in the orphan's row;
what became of it is written there too.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg
import msgspec

from laddbok.flow.changes import FrameRow, Stale
from laddbok.flow.orphans import Wanted, question_of_orphan, refused, to_own_session, to_session
from laddbok.flow.store import LeasedJob
from laddbok.model.errors import Conflict, LaddbokError, NotFound
from laddbok.model.station import Station
from laddbok.sessions.quirks import QuirkTable, quirks_of
from laddbok.store.database import borrowed
from laddbok.store.postgres import PostgresStore
from laddbok.store.sql import query
from laddbok.store.values import traits_of

MATCH_ORPHAN = "match_orphan"
AFTER_STALE = timedelta(seconds=1)


class OrphanMatcher:
    """Does jobs of kind `match_orphan`."""

    def __init__(
        self, store: PostgresStore, pool: asyncpg.Pool, now: Callable[[], datetime], quirks: QuirkTable
    ) -> None:
        self._store = store
        self._pool = pool
        self._now = now
        self._quirks = quirks

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Match one orphan. Returns: when to try again; None: it is done, or can't be."""
        async with borrowed(self._pool) as connection:
            place = [int(part) for part in leased.job.key.split("/")]
            row = await connection.fetchrow(query("orphan_wanted"), *place)
        if row is None or row["tenant"] != leased.job.tenant:
            raise NotFound("orphan", leased.job.key)
        if row["wanted"] is None or row["matched_session_id"] is not None:
            return None
        frame = FrameRow(*(row[name] for name in FrameRow.__struct_fields__))
        wanted = msgspec.json.decode(row["wanted"], type=Wanted)
        try:
            await self._match(frame, wanted, row)
        except Stale:
            return self._now() + AFTER_STALE
        except LaddbokError as error:
            await self._store.commit(refused(frame, str(error)))
        return None

    async def _match(self, frame: FrameRow, wanted: Wanted, row: asyncpg.Record) -> None:
        now = self._now()
        if wanted.session_id is not None:
            evidence = await self._store.session_evidence(frame.tenant, wanted.session_id)
            await self._store.commit(to_session(frame, wanted, evidence.session, now))
            return
        if wanted.evse_id is None:
            raise Conflict("neither a session nor an EVSE is named")
        station = self._station(row)
        [found] = await self._store.look_up([question_of_orphan(frame, wanted, station)])
        if found.session is not None:
            raise Conflict(f"session {found.session.id} has this transaction already")
        await self._store.commit(to_own_session(frame, wanted, station, found.facts, now))

    def _station(self, row: asyncpg.Record) -> Station:
        names = ("station_no", "tenant", "identity", "site_id", "time_zone", "country", "vendor", "model")
        known = {name: row[name] for name in names if row[name] is not None}
        return Station(
            **known,
            protocol="1.6" if row["protocol"] == b"6" else "2.0.1",
            firmware_version=row["firmware_version"],
            booted_at=row["booted_at"],
            traits=traits_of(row["traits"]),
            quirks=quirks_of(self._quirks, row["vendor"], row["model"], row["firmware_version"]),
        )
