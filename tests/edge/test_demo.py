"""`laddbok demo` as a newcomer runs it: right to the Wh, gone without a trace, and there again with its data."""

import json
import os
import re
import signal
import subprocess
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from laddbok.demo.cooperative import APARTMENTS, COMPANY_CAR, SITE, VISITS, ZONE
from laddbok.store.postmaster import children
from tests.edge.platform import KEY, command_line, finished, is_alive, launched, said, state_folder, stop, until

WRONG = ("sessions_in_review", "sessions_missing", "sessions_extra", "energy_difference_wh")
READY = r"console\s+(http://\S+).*?Ctrl-C stops everything"


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and theirs."""
    return [each for child in children(pid) for each in (child, *descendants(child))]


def sessions(console: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{console}/api/v1/sessions", headers={"Authorization": f"Bearer {KEY}"}, timeout=20)
    items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return items


def test_a_demo_for_a_while_accounts_for_every_wh() -> None:
    with state_folder() as folder:
        told = finished(["demo", "--for", "20", "--stations", "12", "--json"], folder)
        assert told.returncode == 0, told
        result = json.loads(told.stdout)
        assert {name: result[name] for name in WRONG} == dict.fromkeys(WRONG, 0)
        assert (result["stations"], result["sessions_started"]) == (12, result["sessions_finished"])
        assert 0 < result["sessions_priced"] <= result["sessions_finished"]
        assert result["frames"] > 12
        _has_a_list_of_the_month_before(folder)
        assert not left_over(folder)


def _has_a_list_of_the_month_before(folder: Path) -> None:
    """Twenty apartments and who has none; the rows come to the bill, and no evidence is missing."""
    month = f"{datetime.now(ZONE).date().replace(day=1) - timedelta(days=1):%Y-%m}"
    told = finished(["apartments", "show", "--site", SITE, "--period", month, "--json"], folder)
    shown = json.loads(told.stdout.splitlines()[-1])
    shares = shown["content"]["shares"]
    assert [each["apartment"] for each in shares] == [*APARTMENTS, ""]
    assert sum(Decimal(each["net"]) for each in shares) == Decimal(shown["content"]["bill"]["net"])
    assert "waiting" not in shown["content"]
    home = finished(["home-statement", "show", "--contract", f"brf-{COMPANY_CAR}", "--period", month, "--json"], folder)
    assert len(json.loads(home.stdout.splitlines()[-1])["content"]["refund"]["lines"]) == VISITS
    rebuilt = finished(["rebuild", "--check", "--json"], folder)
    assert rebuilt.returncode == 0, rebuilt


def test_ctrl_c_leaves_no_process_and_the_next_demo_goes_on_with_the_data() -> None:
    with state_folder() as folder:
        seen = ctrl_c_after_sessions(folder)
        assert not left_over(folder)
        process, output = launched(["demo", "--stations", "2", "--speed", "60"], folder)
        try:
            console = said(process, output, READY)[1]
            assert "one-time password" not in output.read_text()
            assert seen <= {session["id"] for session in sessions(console)}
        finally:
            assert stop(process, signal.SIGINT) == 0, output.read_text()


def _running(console: str) -> set[str]:
    """The sessions that run, unlike those of the month before."""
    return {session["id"] for session in sessions(console) if session["state"] == "active"}


def ctrl_c_after_sessions(folder: Path) -> set[str]:
    """Run a demo until it has sessions, then type Ctrl-C. Returns: the sessions' ids."""
    process, output = launched(["demo", "--stations", "12"], folder)
    try:
        console = said(process, output, READY)[1]
        assert re.search(r"one-time password \S+", output.read_text())
        seen = until(lambda: _running(console), lambda found: len(found) >= 3)
        started = descendants(process.pid)
        assert len(started) >= 3, started  # worker, fleet and database
    finally:
        assert stop(process, signal.SIGINT) == 0, output.read_text()
    assert not [pid for pid in started if is_alive(pid)]
    assert "Traceback" not in output.read_text()
    return seen


def test_a_killed_demo_takes_its_fleet_and_worker_along_and_its_database_is_adopted() -> None:
    with state_folder() as folder:
        process, output = launched(["demo", "--stations", "2"], folder)
        try:
            said(process, output, READY)
            until(lambda: descendants(process.pid), lambda found: len(ours(found)) >= 2)
            started = descendants(process.pid)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        until(lambda: [pid for pid in ours(started) if is_alive(pid)], lambda alive: not alive, timeout_s=60)
        told = finished(["session", "--list", "--json"], folder)
        assert told.returncode == 0 and "items" in json.loads(told.stdout.splitlines()[-1]), told
        assert not left_over(folder)


def ours(pids: list[int]) -> list[int]:
    """Those that are laddbok's own, not PostgreSQL's."""
    return [pid for pid in pids if b"laddbok.cli" in command_line(pid)]


def left_over(folder: Path) -> list[str]:
    """Processes that still have to do with this state folder, after a moment to go."""
    for _ in range(20):
        listed = subprocess.run(["ps", "-A", "-ww", "-o", "command="], capture_output=True, text=True, check=True)
        found = [line for line in listed.stdout.splitlines() if str(folder) in line]
        if not found:
            break
        time.sleep(0.1)
    return found
