"""On which stores does the contract suite run? On both."""

from collections.abc import Iterator

import pytest

from laddbok.store.embedded import Dsn
from tests.store.stores import Ground, in_memory, in_postgres


@pytest.fixture(params=["memory", "postgres"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    if request.param == "memory":
        yield from in_memory()
    else:
        dsn: Dsn = request.getfixturevalue("fresh_database")
        yield from in_postgres(dsn)
