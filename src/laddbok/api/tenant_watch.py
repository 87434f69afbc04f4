"""What has changed in a tenant since we looked last?

Gateways publish what they know of live sessions; those are read by the time of publication. A session that has just
been ended or settled is not published any more, so every session that was seen open is compared with its stored
version until it is closed. A station is compared by a word that changes with it.
"""

from datetime import datetime, timedelta

import asyncpg

from laddbok.api.session_view import SessionView
from laddbok.store.sql import query

MAX_TRACKED = 5_000
"""Open sessions and stations watched in one tenant; beyond it, only the youngest sessions and the first stations."""
OPEN = frozenset({"pending", "active", "ended", "review"})
"""Those of which more is to come: from the station, from a worker, or from a person."""


class TenantWatch:
    """What one tenant looked like when we looked last."""

    def __init__(self, look_back: timedelta, now: datetime) -> None:
        self._look_back = look_back
        self._published_at = now
        self._through: dict[str, tuple[int, int]] = {}
        self._versions: dict[str, int] | None = None
        self._marks: dict[str, str] | None = None
        self._shown: dict[str, SessionView] = {}

    async def changed_sessions(self, connection: asyncpg.Connection) -> list[str]:
        """The ids of sessions that have changed."""
        published = await self._published(connection)
        moved = await self._moved(connection, published)
        return list(dict.fromkeys([*moved, *published]))

    async def changed_stations(self, connection: asyncpg.Connection) -> list[str]:
        """The identities of stations that have changed; at the first look none."""
        rows = await connection.fetch(query("station_marks"), MAX_TRACKED)
        marks = {row["station_id"]: row["mark"] for row in rows}
        before, self._marks = self._marks, marks
        if before is None:
            return []
        return [station_id for station_id, mark in marks.items() if before.get(station_id) != mark]

    def is_news(self, session: SessionView) -> bool:
        """Whether this session, watched alone, looks different from when it was told last."""
        before = self._shown.get(session.id)
        if len(self._shown) >= MAX_TRACKED:
            self._shown.clear()
        self._shown[session.id] = session
        return before != session

    async def _published(self, connection: asyncpg.Connection) -> list[str]:
        rows = await connection.fetch(query("live_since"), self._published_at - self._look_back, MAX_TRACKED)
        changed = []
        for row in rows:
            through = (row["through_epoch"], row["through_seq"])
            if self._through.get(row["session_id"]) != through:
                self._through[row["session_id"]] = through
                changed.append(row["session_id"])
        if rows:
            self._published_at = max(self._published_at, rows[0]["as_of"])
        return changed

    async def _moved(self, connection: asyncpg.Connection, published: list[str]) -> list[str]:
        if self._versions is None:
            rows = await connection.fetch(query("open_sessions"), MAX_TRACKED)
            self._versions = {row["id"]: row["version"] for row in rows}
            return []
        for session_id in published:
            self._versions.setdefault(session_id, 0)
        moved = []
        for row in await connection.fetch(query("session_versions"), list(self._versions)):
            if self._versions[row["id"]] != row["version"]:
                self._versions[row["id"]] = row["version"]
                moved.append(row["id"])
            if row["state"] not in OPEN:
                del self._versions[row["id"]]
                self._through.pop(row["id"], None)
        while len(self._versions) > MAX_TRACKED:
            del self._versions[next(iter(self._versions))]
        return moved
