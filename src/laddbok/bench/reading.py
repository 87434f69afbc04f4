"""How long does a person wait for one settled session out of millions of samples?

The session and its curve are asked of the API, one request after the other over one connection, as a browser does: what
is counted is the time until both answers are there. The sessions are picked at random, with a fixed seed.
"""

import asyncio
import http.client
import json
import random
import time
from collections.abc import Iterable
from typing import Any

import asyncpg

from laddbok.bench.evidence import LONG_SAMPLES, Filled, fill
from laddbok.model.errors import LaddbokError
from laddbok.store.embedded import Dsn

READS = 500
LONG_READS = 20
PATIENCE_S = 60.0
_SEED = 4711
_SIZE = "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('frame')"


class ReadFailed(LaddbokError):
    """The API did not give the session, or its curve lacks samples."""


def session_read(dsn: Dsn, http_port: int, key: str, samples: int) -> dict[str, Any]:
    """Fill the evidence, then read sessions out of it.

    Args: samples: how many, about; `fill` says how many it became.
    Returns: the part `session_read` of the report; docs/performance.md lists its keys.
    Raises: ReadFailed.
    """
    filled, size_bytes = asyncio.run(_fill(dsn, samples))
    reader = _Reader(http_port, key)
    picked = random.Random(_SEED).choices(filled.usual, k=READS)
    usual_ms = [reader.read_ms(session_id) for session_id in picked]
    long_ms = [reader.read_ms(filled.long) for _ in range(LONG_READS)]
    return {
        "samples": filled.samples,
        "sessions": len(filled.usual),
        "evidence_mb": round(size_bytes / 1e6),
        "p50_ms": _quantile(usual_ms, 50),
        "p99_ms": _quantile(usual_ms, 99),
        "long": {"samples": LONG_SAMPLES, "p50_ms": _quantile(long_ms, 50), "p99_ms": _quantile(long_ms, 99)},
    }


async def _fill(dsn: Dsn, samples: int) -> tuple[Filled, int]:
    connection = await asyncpg.connect(**dsn)
    try:
        return await fill(connection, samples), int(await connection.fetchval(_SIZE))
    finally:
        await connection.close()


class _Reader:
    """A person with one connection to the API."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._headers = {"Authorization": f"Bearer {key}"}

    def read_ms(self, session_id: str) -> float:
        """How long the session and its curve take [ms]."""
        began_s = time.perf_counter()
        session = self._get(f"/api/v1/sessions/{session_id}")
        curve = self._get(f"/api/v1/sessions/{session_id}/curve")
        spent_ms = (time.perf_counter() - began_s) * 1e3
        if session["id"] != session_id or not curve["power_w"] or curve["energy_wh"][-1][1] != session["energy_wh"]:
            raise ReadFailed(f"session {session_id} does not look as it was stored")
        return spent_ms

    def _get(self, path: str) -> Any:
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise ReadFailed(f"{path}: {answer.status} {text[:200]!r}")
        return json.loads(text)


def _quantile(values: Iterable[float], percent: int) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 1)
