"""`laddbok soak` as it is typed: real processes are really killed, nothing is lost, and nothing is left behind."""

import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from laddbok.store.postmaster import children
from tests.edge.platform import finished, launched, stop, until

KILLS, SEED = 3, 29
"""Each part is killed within 6 s, the database twice."""
STATIONS = 12


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The system's temporary folder for one soak: what is in it afterwards was left behind."""
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder for what the command prints, and the state folder that it is not to touch."""
    folder = Path(tempfile.mkdtemp(prefix="laddbok-edge-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_killed_processes_lose_nothing_and_count_nothing_twice(temporary: Path, outside: Path) -> None:
    arguments = ["soak", "--kills", str(KILLS), "--seed", str(SEED), "--stations", str(STATIONS), "--json"]
    told = finished(arguments, outside, TMPDIR=str(temporary))
    assert told.returncode == 0, told
    report = json.loads(told.stdout)
    wrong = ("lost", "double", "energy_difference_wh", "unanswered", "jobs_failed")
    assert {name: report[name] for name in wrong} == dict.fromkeys(wrong, 0) and report["findings"] == []
    assert report["kills"] == KILLS and min(report["killed"].values()) >= 1
    assert report["acknowledged"] > STATIONS and report["sessions"] > 0 and report["metered_wh"] > 0
    assert (report["fsync"], report["synchronous_commit"], report["full_page_writes"]) == ("on", "on", "on")
    assert left_over(temporary) == [] and not (outside / "database").exists()


def test_an_interrupted_soak_leaves_no_process_and_no_folder(temporary: Path, outside: Path) -> None:
    process, output = launched(["soak", "--kills", "1000", "--stations", "2"], outside, TMPDIR=str(temporary))
    try:
        until(lambda: started(process.pid), bool, timeout_s=60)
        time.sleep(4)  # stations charge, and the first kills come
    finally:
        code = stop(process, signal.SIGINT)
    assert code == 130, output.read_text()
    assert left_over(temporary) == [], output.read_text()


def started(pid: int) -> list[int]:
    """The processes that the soak's platform has started: worker, and database if it was first there."""
    return [each for platform in children(pid) for each in children(platform)]


def left_over(temporary: Path) -> list[str]:
    """Files in this folder, and processes that have to do with it, after a moment to go."""
    for _ in range(20):
        listed = subprocess.run(["ps", "-A", "-ww", "-o", "command="], capture_output=True, text=True, check=True)
        found = [line for line in listed.stdout.splitlines() if str(temporary) in line]
        found += [path.name for path in temporary.iterdir()]
        if not found:
            break
        time.sleep(0.1)
    return found
