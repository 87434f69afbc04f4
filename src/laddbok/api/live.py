"""What has changed just now, and who is watching?

One poll per process each two seconds, only while somebody watches and only in their tenants' names, is handed out to
all event streams: changed sessions, changed stations, the counts. Each stream has a short queue; whoever reads slower
than things happen is told `lagged`, dropped, and loads afresh.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from laddbok.api.overview_view import overview
from laddbok.api.prices import Prices
from laddbok.api.problems import TooMany
from laddbok.api.session_view import RUNNING, SessionView, session_views
from laddbok.api.settings import ApiSettings
from laddbok.api.station_view import station_views
from laddbok.api.tenant_watch import TenantWatch
from laddbok.model.clock import Clock
from laddbok.store.reads import Filters, on_behalf

MAX_QUEUED = 20
"""Rounds that a stream may be behind."""
MAX_STREAM_S = 900.0
"""Then a stream ends and the browser comes again, so that a log-out is noticed."""
RETRY_MS = 2_000
MAX_STREAMS_PER_ASKER = 20
MAX_STREAMS_PER_TENANT = 100
"""So that neither one key nor one tenant takes all the streams of a process."""
MAX_SENT = 1_000
"""Changed sessions told in one round."""

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class Stream:
    """One event stream: everything in a tenant, or one session."""

    def __init__(self, tenant: int, asker: str, session_id: str | None) -> None:
        self.tenant = tenant
        self.asker = asker
        self.session_id = session_id
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_QUEUED)

    def offer(self, events: bytes) -> bool:
        """Queue some events. Returns: False when the reader is too far behind; then only `lagged` is queued."""
        if not self.queue.full():
            self.queue.put_nowait(events)
            return True
        self.end(b"event: lagged\ndata: {}\n\n")
        return False

    def end(self, last_words: bytes = b"") -> None:
        """Forget what is queued, say this, and end."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(last_words)
        self.queue.put_nowait(None)


class Live:
    """The streams of this process and the poll that feeds them."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, prices: Prices, settings: ApiSettings) -> None:
        self._pool, self._clock, self._prices, self._settings = pool, clock, prices, settings
        self._streams: set[Stream] = set()
        self._watches: dict[int, TenantWatch] = {}
        self._number = 0

    async def run(self) -> None:
        """Poll until cancelled. A round that fails is logged, and the next one tells what it missed."""
        while True:
            await asyncio.sleep(self._settings.live_interval_s)
            for tenant in {stream.tenant for stream in self._streams}:
                try:
                    await self._round(tenant)
                except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                    _log.warning("a round of live events failed: %s", error)
            self._forget_unwatched()

    def close(self) -> None:
        """End every stream."""
        for stream in self._streams:
            stream.end()

    def open(self, tenant: int, asker: str, session_id: str | None) -> Stream:
        """Begin a stream.

        Raises: TooMany when the asker, their tenant, or this process has as many as it may.
        """
        of_tenant = [stream.asker for stream in self._streams if stream.tenant == tenant]
        for count, limit, whose in (
            (of_tenant.count(asker), MAX_STREAMS_PER_ASKER, f" of {asker}"),
            (len(of_tenant), MAX_STREAMS_PER_TENANT, " of this tenant"),
            (len(self._streams), self._settings.max_event_streams, ""),
        ):
            if count >= limit:
                raise TooMany(f"too many event streams{whose}", 30)
        stream = Stream(tenant, asker, session_id)
        self._streams.add(stream)
        return stream

    async def events(self, stream: Stream) -> AsyncIterator[bytes]:
        """What goes out on a stream, until it ends."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + MAX_STREAM_S
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            while loop.time() < ends_s:
                try:
                    events = await asyncio.wait_for(stream.queue.get(), self._settings.heartbeat_s)
                except TimeoutError:
                    events = b": alive\n\n"
                if events is None:
                    return
                yield events
        finally:
            self._streams.discard(stream)

    async def _round(self, tenant: int) -> None:
        wide = [stream for stream in self._streams if stream.tenant == tenant and stream.session_id is None]
        narrow = [stream for stream in self._streams if stream.tenant == tenant and stream.session_id is not None]
        now = self._clock.now()
        async with on_behalf(self._pool, tenant) as connection:
            if wide:
                events = await self._everything(connection, tenant, now)
                self._hand_out(wide, events)
            for session_id in {stream.session_id for stream in narrow}:
                events = await self._session(connection, tenant, str(session_id), now)
                self._hand_out([stream for stream in narrow if stream.session_id == session_id], events)

    async def _everything(self, connection: asyncpg.Connection, tenant: int, now: datetime) -> list[bytes]:
        watch = self._watch(tenant, now)
        changed = await watch.changed_sessions(connection)
        filters = Filters()
        filters.add("s.id = ANY(?)", changed)
        sessions = await session_views(connection, filters, None, now, limit=MAX_SENT) if changed else []
        filters = Filters()
        filters.add("t.identity = ANY(?)", await watch.changed_stations(connection))
        stations = await station_views(connection, filters, limit=MAX_SENT) if filters.arguments[0] else []
        return [
            *(self._event("session", without_price(session)) for session in sessions),
            *(self._event("station", station) for station in stations),
            self._event("overview", await overview(connection, self._clock)),
        ]

    async def _session(
        self, connection: asyncpg.Connection, tenant: int, session_id: str, now: datetime
    ) -> list[bytes]:
        filters = Filters()
        filters.add("s.id = ?", session_id)
        found = await session_views(connection, filters, self._prices, now, limit=1)
        watch = self._watch(tenant, now)
        if not found or (found[0].state not in RUNNING and not watch.is_news(found[0])):
            return []
        return [self._event("session", found[0])]

    def _watch(self, tenant: int, now: datetime) -> TenantWatch:
        if tenant not in self._watches:
            look_back = timedelta(seconds=5 * self._settings.live_interval_s * self._clock.speed)
            self._watches[tenant] = TenantWatch(look_back, now)
        return self._watches[tenant]

    def _event(self, kind: str, value: object) -> bytes:
        self._number += 1
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self._number, kind.encode(), _encode(value))

    def _hand_out(self, streams: Iterable[Stream], events: list[bytes]) -> None:
        text = b"".join(events)
        for stream in streams:
            if text and not stream.offer(text):
                self._streams.discard(stream)

    def _forget_unwatched(self) -> None:
        watched = {stream.tenant for stream in self._streams}
        for tenant in self._watches.keys() - watched:
            del self._watches[tenant]


def without_price(session: SessionView) -> dict[str, Any]:
    """A session as the stream of everything tells it: its price is looked up by whoever shows one."""
    fields: dict[str, Any] = msgspec.to_builtins(session)
    del fields["price"], fields["price_missing_reason"]
    return fields
