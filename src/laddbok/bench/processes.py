"""How are the processes of a benchmark started, spoken to, and surely ended?"""

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from select import select

import msgspec

from laddbok.bench.load import LoadSpec, RunResult
from laddbok.model.errors import ConfigurationError

START_S = 120.0
COMMAND_S = 400.0
END_S = 20.0
OPEN_FILES = 32_768


class Process:
    """A Python process whose stdout is read line by line."""

    def __init__(self, child: subprocess.Popen[bytes], name: str) -> None:
        self._child = child
        self._name = name
        self.pid = child.pid

    def line(self, patience_s: float) -> str:
        """Its next line. Raises: ConfigurationError when it ends or takes too long."""
        assert self._child.stdout is not None
        readable, _, _ = select([self._child.stdout], [], [], patience_s)
        line = self._child.stdout.readline() if readable else b""
        if not line:
            raise ConfigurationError(f"{self._name} said nothing within {patience_s:.0f} s, or ended")
        return line.decode().rstrip("\n")

    def command(self, words: str) -> str:
        """Tell it something on stdin; its answer."""
        assert self._child.stdin is not None
        self._child.stdin.write(f"{words}\n".encode())
        self._child.stdin.flush()
        return self.line(COMMAND_S)

    def end(self) -> None:
        """Ask it to stop, and make it."""
        self._child.terminate()
        try:
            self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


@contextmanager
def python(module: str, *arguments: str, environ: Mapping[str, str] | None = None) -> Iterator[Process]:
    """Run `python -m MODULE`, unbuffered by the caller; it is ended with the block."""
    child = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **(environ or {})},
        start_new_session=True,
        bufsize=0,
    )
    process = Process(child, module)
    try:
        yield process
    finally:
        process.end()


@contextmanager
def load(spec: LoadSpec) -> Iterator[Process]:
    """A load process whose stations are connected and prepared."""
    with python("laddbok.bench.load", msgspec.json.encode(spec).decode()) as process:
        process.line(START_S)
        yield process


def run(process: Process, words: str) -> RunResult:
    """One command to a load process, and what came of it."""
    return msgspec.json.decode(process.command(words), type=RunResult)


def allow_open_files() -> None:
    """Let this process and its children have a socket per station."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
