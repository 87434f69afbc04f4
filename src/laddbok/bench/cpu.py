"""How much processor time and memory did these processes use?

Times are user plus system time as the kernel counts it. A child that has ended is counted in its parent, so the sum
over a process and all that still live below it leaves nothing out. On Linux the figures come from /proc; elsewhere
from `psutil`, which then has to be installed.
"""

import importlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from laddbok.model.errors import ConfigurationError

PROC = Path("/proc")
TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
"""The kernel counts processor time in these steps [s]."""
_PARENT, _USER, _CHILDREN_SYSTEM = 1, 11, 14
"""Where the fields stand in /proc/PID/stat behind the name. Source: proc_pid_stat(5)."""


def tree(root_pid: int) -> list[int]:
    """A process and all that live below it."""
    if not _has_proc():
        return [root_pid, *(child.pid for child in _psutil().Process(root_pid).children(recursive=True))]
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[_PARENT]), []).append(int(entry.name))
    found = [root_pid]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """User and system time of these processes and of their children that have ended [s]."""
    if not _has_proc():
        return float(sum(sum(_psutil().Process(pid).cpu_times()[:4]) for pid in pids))
    stats = [fields for pid in pids if (fields := _stat(pid))]
    return TICK_S * sum(int(field) for fields in stats for field in fields[_USER : _CHILDREN_SYSTEM + 1])


def resident_bytes(pid: int) -> int:
    """Memory of one process that is really there [B]."""
    if not _has_proc():
        return int(_psutil().Process(pid).memory_info().rss)
    return int((PROC / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> list[str] | None:
    """The fields behind the name, which may itself have spaces and brackets; None when the process has ended."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _has_proc() -> bool:
    return (PROC / "self/stat").exists()


def _psutil() -> Any:
    try:
        return importlib.import_module("psutil")
    except ImportError:
        raise ConfigurationError("there is no /proc here: install psutil to measure processor time") from None
