"""Which work waits, and who does it, when there is no database?

The job table as a dict: the same work is queued once, leased to one worker at a time, backs off when it fails, and is
given up after the last attempt.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from laddbok.flow.changes import Job
from laddbok.flow.store import LEASE, LeasedJob, next_try


class JobRow(msgspec.Struct, kw_only=True):
    """Work that waits, is being done, or was given up."""

    id: int
    job: Job
    attempts: int = 0
    requests: int = 1
    leased_until: datetime | None = None
    last_error: str | None = None
    failed_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether a worker may take it."""
        is_free = self.leased_until is None or self.leased_until <= now
        return is_free and self.failed_at is None and self.job.due_at <= now


class JobTable:
    """All jobs, by kind and key."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], JobRow] = {}
        self._last_id = 0

    def queue(self, jobs: Iterable[Job]) -> None:
        """Work for later: the same work once, at the earlier time, and again when it is queued while it runs."""
        earliest: dict[tuple[str, str], Job] = {}
        for job in jobs:
            before = earliest.get((job.kind, job.key), job)
            earliest[job.kind, job.key] = min(before, job, key=lambda each: each.due_at)
        for key, job in earliest.items():
            row = self.rows.get(key)
            if row is None:
                self._last_id += 1
                self.rows[key] = JobRow(id=self._last_id, job=job)
                continue
            due_at = job.due_at if row.leased_until else min(row.job.due_at, job.due_at)
            row.attempts = row.attempts if row.failed_at is None else 0
            row.requests, row.failed_at = row.requests + 1, None
            row.job = replace(row.job, due_at=due_at)

    def take(self, now: datetime, limit: int) -> list[LeasedJob]:
        """Due jobs, the longest due first, leased from now on."""
        due = sorted((row for row in self.rows.values() if row.is_due(now)), key=lambda row: row.job.due_at)
        for row in due[:limit]:
            row.attempts += 1
            row.leased_until = now + LEASE
        return [LeasedJob(row.id, row.job, row.attempts, row.requests) for row in due[:limit]]

    def finish(self, leased: LeasedJob, again_at: datetime | None) -> None:
        """The job is done, or shall come again; one that was queued again while it ran comes again by itself."""
        key = leased.job.kind, leased.job.key
        row = self.rows[key]
        if again_at is None and row.requests == leased.requests:
            del self.rows[key]
            return
        row.leased_until, row.attempts = None, 0
        if again_at is not None:
            due_at = again_at if row.requests == leased.requests else min(again_at, row.job.due_at)
            row.job = replace(row.job, due_at=due_at)

    def fail(self, leased: LeasedJob, error: str, now: datetime) -> None:
        """Back off, or give up after the last attempt; one that was queued again meanwhile comes again all the same."""
        row = self.rows[leased.job.kind, leased.job.key]
        again_at = next_try(leased.attempts, now)
        row.leased_until, row.last_error = None, error
        if row.requests != leased.requests:
            row.attempts = 0
            row.job = replace(row.job, due_at=min(again_at or now, row.job.due_at))
            return
        row.failed_at = now if again_at is None else None
        row.job = replace(row.job, due_at=again_at or now)
