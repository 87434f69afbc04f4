"""How is a real platform run, killed and kept up, and surely ended?

`laddbok serve` on a state folder of its own, as an operator's supervisor runs it: when the process dies it is started
again after a moment. Everything else is the product's own work: the worker is started again by the platform, an
embedded database by whoever finds it gone. A worker whose platform was killed stops by itself.
"""

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from laddbok import app
from laddbok.model.errors import LaddbokError
from laddbok.soak.plan import Part
from laddbok.store.embedded import start as start_database
from laddbok.store.postmaster import children, running_postmaster

START_S = 120.0
"""How long a part may take to be there, at first and after a kill."""
STOP_S = 60.0
RESTART_S = 0.1
"""What systemd waits before it starts a service again, unless told otherwise."""
ORPHAN_S = 30.0
"""How long a worker may take to see that its platform was killed, and to stop."""
LOOK_EVERY_S = 0.02
PORTS = range(20_000, 30_000)
"""Below those that the system gives to outgoing connections: none of these can take it while the gateway is away."""
LOG = "platform.log"


class SoakError(LaddbokError):
    """The soak can't go on: a part of the platform did not come back, or never came."""


class Platform:
    """The platform's processes on one state folder. Use it as an asynchronous context manager."""

    def __init__(self, folder: Path, clock_text: str) -> None:
        self.folder = folder
        self.port = _free_port()
        self._environ = _environment(folder, clock_text, self.port)
        self._log = folder / LOG
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._orphans: set[int] = set()
        """Workers of a platform that was killed."""

    async def __aenter__(self) -> Self:
        self._process = await self._launch()
        self._keeper = asyncio.create_task(self._keep_up())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, also what a killed process left behind."""
        assert self._keeper is not None
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        if self._process is not None:
            self._orphans |= set(self._workers())
            await app.end(self._process, STOP_S)
        await asyncio.to_thread(_ended, self._orphans)
        if (self.folder / "database").exists():
            await asyncio.to_thread(_stopped_database, self.folder)

    @property
    def url(self) -> str:
        """Where stations come in."""
        return f"ws://127.0.0.1:{self.port}/ocpp"

    async def until_reached(self, stop: asyncio.Event) -> None:
        """Wait until stations can come in, or until told to stop. Raises: SoakError when that takes too long."""
        await self._until(lambda: _is_listening(self.port), "the gateway", stop)

    async def until_there(self, part: Part, stop: asyncio.Event) -> None:
        """Wait until a part runs, or until told to stop. Raises: SoakError when it does not come back."""
        await self._until(lambda: bool(self.process_ids(part)), f"the {part}", stop)

    def process_ids(self, part: Part) -> list[int]:
        """The processes that a part has now; none: it is down."""
        match part:
            case Part.GATEWAY:
                return [self._process.pid] if self._process is not None and self._process.returncode is None else []
            case Part.WORKER:
                return self._workers()
            case Part.DATABASE:
                postmaster = running_postmaster(self.folder / "database")
                return [] if postmaster is None else [postmaster.pid, *children(postmaster.pid)]

    def kill(self, parts: Iterable[Part]) -> None:
        """SIGKILL for all processes of these parts."""
        self._orphans |= set(self._workers())
        for pid in [pid for part in parts for pid in self.process_ids(part)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def _launch(self) -> asyncio.subprocess.Process:
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "laddbok.cli", "serve",
                env=self._environ, start_new_session=True, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    async def _keep_up(self) -> None:
        while True:
            assert self._process is not None
            await self._process.wait()
            await asyncio.sleep(RESTART_S)
            self._process = await self._launch()

    async def _until(self, is_so: Callable[[], bool], what: str, stop: asyncio.Event) -> None:
        give_up_at_s = time.monotonic() + START_S
        while not stop.is_set() and not is_so():
            if time.monotonic() > give_up_at_s:
                raise SoakError(f"{what} is not there after {START_S:.0f} s; its last words: {self._last_words()}")
            await asyncio.sleep(LOOK_EVERY_S)

    def _workers(self) -> list[int]:
        if self._process is None or self._process.returncode is not None:
            return []
        return [pid for pid in children(self._process.pid) if _is_worker(pid)]

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return lines[-1] if lines else "none"


def _environment(folder: Path, clock_text: str, port: int) -> dict[str, str]:
    """The settings of the machine play no part. Without us the platform stops."""
    machine = {name: value for name, value in os.environ.items() if not name.startswith("LADDBOK_")}
    own = {
        "LADDBOK_DATA": str(folder),
        "LADDBOK_OCPP_PORT": str(port),
        "LADDBOK_HTTP_PORT": "0",
        "LADDBOK_CLOCK": clock_text,
        "LADDBOK_PARENT": str(os.getpid()),
    }
    return {**machine, **own}


def _free_port() -> int:
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise SoakError(f"no free port from {PORTS.start} to {PORTS.stop}")


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_worker(pid: int) -> bool:
    """Whether this process is a worker of ours: an id alone may have been given to another process."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        listed = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
        words = listed.stdout.split()
    return b"laddbok.cli" in words and b"worker" in words


def _ended(workers: Iterable[int]) -> None:
    """Wait until these workers have stopped by themselves; one that does not is killed."""
    give_up_at_s = time.monotonic() + ORPHAN_S
    left = {pid for pid in workers if _is_worker(pid)}
    while left and time.monotonic() < give_up_at_s:
        time.sleep(LOOK_EVERY_S)
        left = {pid for pid in left if _is_worker(pid)}
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _stopped_database(folder: Path) -> None:
    """Nobody else holds the folder any more: whoever lets go now is the last, and stops what still runs."""
    start_database(folder).release()
