"""What does the 10,000th sample of a session cost, against the 10th?

Young sessions and old ones stand side by side on one platform, and say the same number of samples in short windows that
take turns, so that whatever else goes on meets both alike. A window is counted from rest to rest: what is published of
its sessions is in it, and what the platform does anyway in that time is taken off. The ratio is the median of the
windows' pairs, for now and then the database tidies up in one of them, after all that was written before. What a session
gives it to tidy up by being old shows in what is written for it: the bytes of the write-ahead log are counted too.
"""

import time
from statistics import median
from typing import Any, Protocol

import msgspec

from laddbok.bench import cpu
from laddbok.bench.load import LoadSpec
from laddbok.bench.processes import Process, load, run
from laddbok.model.errors import LaddbokError

AGED_SAMPLES = 10_000
STATIONS = 200
"""Of each kind, at most."""
YOUNG_SAMPLES = 10
WINDOW_SAMPLES = 15
"""Of each session in a window, a minute apart: each session closes one charging period."""
PAIRS = 7
PAUSE_S = 0.2
"""Between the samples of a station, so that a good part of the cost is publishing them."""
PUBLISHED_S = 3.0
"""Live sessions are published each 2 s."""
_LOG = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"


class Measured(Protocol):
    """The platform under test, as far as it is needed here."""

    port: int

    def cpu_s(self) -> float:
        """Processor time of all its processes and its database's so far [s]."""
        ...

    def ask(self, sql: str, *arguments: Any) -> Any:
        """One value from the database."""
        ...


class Window(msgspec.Struct, frozen=True):
    """What was spent in one window: processor time [s], and what the database wrote ahead [B]."""

    spent_s: float
    log_bytes: int


def sample_cost(platform: Measured, connections: int, pairs: int) -> dict[str, Any]:
    """Processor time of a sample, publishing included, early in sessions and after very many samples [µs].

    Args: connections: the stations of the benchmark. pairs: windows of each kind, at least 1 and at most `PAIRS`.
    Returns: `sample_cost_ratio` and `sample_cost`, see docs/performance.md.
    Raises: LaddbokError when a sample was refused or lost.
    """
    stations, pairs = min(connections, STATIONS), max(1, min(pairs, PAIRS))
    age = AGED_SAMPLES + YOUNG_SAMPLES + (pairs + 1) * WINDOW_SAMPLES
    specs = [
        LoadSpec(port=platform.port, stations=stations, prefix=each, began_s_ago=60 * age) for each in ("BY", "BO")
    ]
    with load(specs[0]) as young, load(specs[1]) as old:
        run(old, f"catch_up {AGED_SAMPLES}")
        for talking in (young, old):
            run(talking, f"run {YOUNG_SAMPLES * stations}")
        platform.ask("VACUUM (ANALYZE)")
        platform.ask("CHECKPOINT")
        time.sleep(PUBLISHED_S)
        idle_s = _window(platform, None, 0).spent_s
        early: list[Window] = []
        late: list[Window] = []
        for number in range(pairs):
            turns = [(young, early), (old, late)]
            for talking, windows in turns if number % 2 == 0 else reversed(turns):
                windows.append(_window(platform, talking, WINDOW_SAMPLES * stations))
    return _report(early, late, idle_s, WINDOW_SAMPLES * stations)


def _window(platform: Measured, talking: Process | None, messages: int) -> Window:
    """One window; None: in which nothing is said."""
    log_bytes, before_s = platform.ask(_LOG), platform.cpu_s()
    if talking is None:
        time.sleep(WINDOW_SAMPLES * PAUSE_S)
    else:
        result = run(talking, f"stroll {messages} {PAUSE_S}")
        if result.refused or result.lost:
            raise LaddbokError(f"a window of samples: {result.refused} refused, {result.lost} lost")
    time.sleep(PUBLISHED_S)
    spent_s = platform.cpu_s() - before_s
    return Window(spent_s, platform.ask(_LOG) - log_bytes)


def _report(early: list[Window], late: list[Window], idle_s: float, messages: int) -> dict[str, Any]:
    """The figures, of windows that stand in pairs.

    >>> early = [Window(0.31, 300_000), Window(0.30, 300_000), Window(0.60, 300_000)]
    >>> late = [Window(0.32, 300_000), Window(0.31, 300_000), Window(0.31, 300_000)]
    >>> _report(early, late, 0.01, 1000)["sample_cost_ratio"]
    1.03
    """
    ratios = [_net_s(two, idle_s) / _net_s(one, idle_s) for one, two in zip(early, late, strict=True)]
    figures: dict[str, Any] = {"windows": len(early), "messages": messages}
    for name, windows in (("early", early), ("late", late)):
        figures[f"{name}_us"] = round(median(_net_s(each, idle_s) for each in windows) * 1e6 / messages, 1)
        figures[f"{name}_log_bytes"] = round(median(each.log_bytes for each in windows) / messages)
    return {"sample_cost_ratio": round(median(ratios), 2), "sample_cost": figures}


def _net_s(window: Window, idle_s: float) -> float:
    return max(window.spent_s - idle_s, cpu.TICK_S)
