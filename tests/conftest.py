"""What do tests share? One embedded server, fresh databases from a migrated template, and where data and browser are.

All workers of a run hold the same state folder, so they share one server; the last to finish stops it.
"""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

from laddbok.store.embedded import Dsn, EmbeddedServer, start
from laddbok.store.migrate import migrate

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = ROOT / "src/laddbok/store/migrations"
STATE = "LADDBOK_TEST_STATE"


def pytest_configure(config: pytest.Config) -> None:
    # A timing is no test, for the machine may be busy; and the same tree passes or fails each time: HYPOTHESIS=random explores.
    settings.register_profile("laddbok", deadline=None, derandomize=os.environ.get("HYPOTHESIS") != "random")
    settings.load_profile("laddbok")
    if not hasattr(config, "workerinput"):
        os.environ[STATE] = tempfile.mkdtemp(prefix="laddbok-test-state-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(STATE), ignore_errors=True)


@pytest.fixture(scope="session")
def database_server() -> Iterator[EmbeddedServer]:
    """The server that all tests of this run share."""
    with start(Path(os.environ[STATE])) as server:
        yield server


@pytest.fixture(scope="session")
def new_database(database_server: EmbeddedServer, worker_id: str) -> Callable[[], Dsn]:
    """Makes one more database with our tables and nothing of ours in them (0.1 to 0.4 s); it goes with the server."""
    dsn = database_server.dsn
    template = f"template_{worker_id}"
    names = (f"test_{worker_id}_{number}" for number in itertools.count())
    asyncio.run(_make_template(dsn, template))

    def make() -> Dsn:
        name = next(names)
        asyncio.run(_execute(dsn, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
        return {**dsn, "database": name}

    return make


@pytest.fixture(scope="module")
def fresh_database(new_database: Callable[[], Dsn]) -> Dsn:
    """A database of this test module's own, migrated and empty: `asyncpg.connect(**fresh_database)`."""
    return new_database()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the operators' real data, which is no part of the repository."""
    folder = Path(os.environ.get("LADDBOK_SHARED_DATA") or ROOT.parent / "shared/data")
    if not folder.is_dir():
        pytest.skip("no shared data: set LADDBOK_SHARED_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser for tests/browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")


@pytest.fixture(scope="session")
def rewrite_golden() -> bool:
    """Whether expected files are to be written anew (`make golden`) instead of compared."""
    return os.environ.get("LADDBOK_REWRITE_GOLDEN") == "1"


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """Which of the parallel workers this is; "main" when there are none."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


async def _make_template(dsn: Dsn, template: str) -> None:
    await _execute(dsn, f"CREATE DATABASE {template}")
    connection = await asyncpg.connect(**{**dsn, "database": template})
    try:
        await migrate(connection, MIGRATIONS)
    finally:
        await connection.close()


async def _execute(dsn: Dsn, statement: str) -> None:
    connection = await asyncpg.connect(**dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
