"""How does Laddbok run with no database to install?

It brings its own PostgreSQL server and looks after it. The server lives in a state folder, listens on a unix socket in
a private folder only, and runs in a process session of its own, so that Ctrl-C reaches us and not the server. All our
processes share it: each holds the state folder, the first starts the server and the last to let go stops it. A server
whose processes of ours were all killed is adopted by the next that starts; one that was killed itself recovers. What
it acknowledged is on the disk: fsync, synchronous_commit and full_page_writes are always on.

    with start(default_state_folder(os.environ)) as server:
        connection = await asyncpg.connect(**server.dsn)
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict

from laddbok.model.errors import ConfigurationError
from laddbok.store.postgres_binaries import (
    Account,
    Binaries,
    clean_environment,
    database_account,
    find_binaries,
)
from laddbok.store.postmaster import (
    PORT,
    SOCKET_FOLDER_PREFIX,
    Postmaster,
    children,
    disarm_leftovers,
    is_postmaster,
    last_line,
    reason,
    remove_socket_folder,
    running_postmaster,
    text_after,
)
from laddbok.store.state_folder import Hold, one_at_a_time, open_state_folder

SOCKET_PATH_MAX_BYTES = 103
"""macOS allows 104 bytes with the closing zero, Linux 108."""
START_TIMEOUT_S = 240.0
"""A crash recovery replays at most `max_wal_size` of log, on a slow disk too."""
STOP_TIMEOUT_S = 60.0
QUIT_TIMEOUT_S = 15.0
LEFTOVER_TIMEOUT_S = 30.0
"""Longest wait for the children of a killed server to end."""
LEFTOVER_PAUSE_S = 0.1
POLL_S = 0.01
ROOM_BYTES = 1_000_000
"""With less free space than this, lack of space is taken to be the reason of a failure."""
LOG_MAX_BYTES = 4_000_000
OWNER, DATABASE = "laddbok", "laddbok"

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    # Two cores are for the gateway; containers have little shared memory for parallel workers; compiling never pays.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Every error of a statement reaches the client that sent it; the log holds what only the server knows.
    "log_min_messages": "log",
    "log_checkpoints": "off",
}

LOCALES = (("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),)
OLDER_LOCALES = (("--locale=C.UTF-8",), ("--locale=C",))
"""Before PostgreSQL 17 the machine's own C.UTF-8, or where it has none a plain C (only a-z change their case)."""

# The owner is no superuser, as on a managed database: what works here works there.
FIRST_SQL = f"""\
CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE;
GRANT pg_checkpoint, pg_monitor TO {OWNER};
CREATE DATABASE {DATABASE} OWNER {OWNER};
"""


class Dsn(TypedDict):
    """Where to connect, as keyword arguments of `asyncpg.connect` and `create_pool`."""

    host: str
    port: int
    database: str
    user: str


class EmbeddedServer:
    """A hold on the running server of one state folder. Use it as a context manager, or call `release()`."""

    def __init__(self, state_folder: Path) -> None:
        self.state_folder = open_state_folder(state_folder)
        self._database = self.state_folder / "database"
        self._log = self.state_folder / "database.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._postmaster: Postmaster | None = None
        with one_at_a_time(self.state_folder):
            self._hold: Hold | None = Hold(self.state_folder)
            try:
                self._postmaster = self._running_or_started()
            except BaseException:
                self._let_go()
                raise

    @property
    def dsn(self) -> Dsn:
        """How to connect as the owner of the tables."""
        assert self._postmaster is not None
        return {
            "host": str(self._postmaster.socket_folder),
            "port": PORT,
            "database": DATABASE,
            "user": OWNER,
        }

    @property
    def postmaster_pid(self) -> int:
        """The process id of the server's parent process."""
        assert self._postmaster is not None
        return self._postmaster.pid

    def process_ids(self) -> list[int]:
        """The process ids of the server: the parent first, then its children of this moment."""
        return [self.postmaster_pid, *children(self.postmaster_pid)]

    def ensure_running(self) -> None:
        """Start the server again if it died. `dsn` stays as it was, unless its socket folder was removed as well.

        Raises: ConfigurationError as `start`.
        """
        with one_at_a_time(self.state_folder):
            self._postmaster = self._running_or_started()

    def release(self) -> None:
        """Let go of the server; the last to do so stops it. A second call does nothing.

        Raises: ConfigurationError when the server does not stop.
        """
        if self._hold is not None:
            with one_at_a_time(self.state_folder):
                self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _let_go(self) -> None:
        hold, self._hold = self._hold, None
        assert hold is not None
        try:
            if hold.is_last():
                self._clear_away()
        finally:
            hold.drop()

    def _clear_away(self) -> None:
        if postmaster := running_postmaster(self._database):
            self._stop(postmaster)
        elif self._child is not None and self._child_runs():
            self._child.send_signal(signal.SIGINT)  # We were interrupted before the server could say that it is there.
            self._child.wait(STOP_TIMEOUT_S)
        if self._postmaster is not None:
            remove_socket_folder(self._postmaster.socket_folder)

    def _stop(self, postmaster: Postmaster) -> None:
        for stop_signal, timeout_s in ((signal.SIGINT, STOP_TIMEOUT_S), (signal.SIGQUIT, QUIT_TIMEOUT_S)):
            with suppress(ProcessLookupError):
                os.kill(postmaster.pid, stop_signal)
            give_up_at_s = time.monotonic() + timeout_s
            while time.monotonic() < give_up_at_s:
                self._child_runs()
                if not is_postmaster(postmaster.pid, self._database):
                    remove_socket_folder(postmaster.socket_folder)
                    return
                time.sleep(POLL_S)
        raise ConfigurationError(f"the database in {self.state_folder} does not stop (process {postmaster.pid})")

    def _running_or_started(self) -> Postmaster:
        if running := self._ready():
            return running
        account = database_account(self._database)
        _check_reachable(self.state_folder, account)
        binaries = find_binaries(self.state_folder, account, _made_by(self._database))
        if not self._database.exists():
            _create_database(self._database, binaries, account)
        socket_folder = disarm_leftovers(self._database, account.uid) or _new_socket_folder(account)
        try:
            return self._started(binaries, account, socket_folder)
        except BaseException:
            remove_socket_folder(socket_folder)
            raise

    def _started(self, binaries: Binaries, account: Account, socket_folder: Path) -> Postmaster:
        give_up_at_s = time.monotonic() + LEFTOVER_TIMEOUT_S
        while True:
            before_bytes = self._launch(binaries, account, socket_folder)
            if running := self._ready():
                return running
            # Not only the last line: what the killed server's processes and its clients say goes into the same log.
            children_of_a_killed_server_write = "pre-existing shared memory block" in text_after(
                self._log, before_bytes
            )
            if not children_of_a_killed_server_write or time.monotonic() > give_up_at_s:
                raise self._trouble("did not start")
            time.sleep(LEFTOVER_PAUSE_S)

    def _ready(self) -> Postmaster | None:
        """The server once it is ready; None when there is none. Waits for one that is starting or stopping."""
        give_up_at_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < give_up_at_s:
            child_runs = self._child_runs()
            running = running_postmaster(self._database)
            if running and running.status == "ready":
                return running
            if running is None and not child_runs:
                return None
            time.sleep(POLL_S)
        raise self._trouble(f"was not ready after {START_TIMEOUT_S:.0f} s")

    def _launch(self, binaries: Binaries, account: Account, socket_folder: Path) -> int:
        """Start a server. Returns: how long its log was before."""
        settings = SETTINGS | {"unix_socket_directories": str(socket_folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        if self._log.exists() and self._log.stat().st_size > LOG_MAX_BYTES:
            self._log.replace(self._log.with_suffix(".log.old"))
        try:
            with self._log.open("ab") as log:
                before_bytes = log.tell()
                self._child = subprocess.Popen(
                    [binaries.bin_folder / "postgres", "-D", self._database, *options],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd="/", env=clean_environment(), start_new_session=True, **account.identity(),
                )  # fmt: skip
        except OSError as error:
            raise self._trouble(f"can't be started: {error.strerror}") from error
        return before_bytes

    def _child_runs(self) -> bool:
        """Whether the server that we started ourselves runs; takes note of its end, so that no zombie stays."""
        return self._child is not None and self._child.poll() is None

    def _trouble(self, what: str) -> ConfigurationError:
        if shutil.disk_usage(self.state_folder).free < ROOM_BYTES:
            return ConfigurationError(f"the database in {self.state_folder} {what}: no space left")
        return ConfigurationError(f"the database in {self.state_folder} {what}: {last_line(self._log)}")


def start(state_folder: Path) -> EmbeddedServer:
    """Hold the embedded server of this state folder: started, adopted or shared, and created at the first time.

    Returns: the hold, with `dsn`, `postmaster_pid` and `process_ids()`; let go with `release()` or a `with` statement.
    Raises: ConfigurationError with one line that says what is wrong: the folder can't be used or reached, no space, no
    PostgreSQL that fits the data, the server does not come up (with its last word).
    Source: our choice, design "embedded database".
    """
    return EmbeddedServer(state_folder)


def _check_reachable(state_folder: Path, account: Account) -> None:
    if account.can_enter(state_folder):
        return
    way_down = [*reversed(state_folder.parents), state_folder]
    barrier = next((folder for folder in way_down if not account.can_enter(folder)), state_folder)
    raise ConfigurationError(
        f"state folder {state_folder} is not reachable by the database user {account.name}: "
        f"it may not enter {barrier}; open that (chmod o+x) or choose another with LADDBOK_DATA"
    )


def _made_by(database: Path) -> int | None:
    """The major version of PostgreSQL that made the database folder; None when there is no folder yet."""
    if not database.exists():
        return None
    try:
        return int((database / "PG_VERSION").read_text())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{database} is not a database folder that can be read: {error}") from error


def _create_database(database: Path, binaries: Binaries, account: Account) -> None:
    """Make the database folder, with owner and database. It appears complete or not at all."""
    partial = database.with_name("database.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        os.chown(partial, account.uid, account.gid)
        made = _fill(partial, binaries, account)
        if made.returncode != 0:
            raise ConfigurationError(f"can't make a database in {database.parent}: {reason(made.stderr)}")
        partial.rename(database)
        _make_durable(database.parent)
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigurationError(f"can't make a database in {database.parent}: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _make_durable(folder: Path) -> None:
    """Wait until the names in the folder are on the disk."""
    folder_fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)


def _fill(folder: Path, binaries: Binaries, account: Account) -> subprocess.CompletedProcess[str]:
    initdb: list[str | Path] = [
        binaries.bin_folder / "initdb",
        "-D",
        folder,
        "-U",
        "postgres",
        "--auth=trust",
    ]
    for locale in LOCALES if binaries.major >= 17 else OLDER_LOCALES:
        made = account.run([*initdb, "--encoding=UTF8", *locale])
        if made.returncode == 0:
            alone: list[str | Path] = [binaries.bin_folder / "postgres", "--single", "-D", folder]
            return account.run([*alone, "-c", "exit_on_error=on", "postgres"], stdin=FIRST_SQL)
    return made


def _new_socket_folder(account: Account) -> Path:
    """A private folder whose name nobody can foresee, short enough for the path of a socket."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        longest = os.fsencode(f"{parent}/{SOCKET_FOLDER_PREFIX}12345678/.s.PGSQL.{PORT}")
        if len(longest) > SOCKET_PATH_MAX_BYTES or not account.can_enter(Path(parent)):
            continue
        with suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix=SOCKET_FOLDER_PREFIX, dir=parent))
            os.chown(folder, account.uid, account.gid)
            return folder
    raise ConfigurationError(
        f"no folder for the database's socket: neither {tempfile.gettempdir()} nor /tmp can be used by {account.name}"
    )
