"""Does a chore of a worker that fails come again, without ending anything else?"""

import asyncio
import logging
from collections.abc import Callable

import asyncpg
import pytest

from laddbok.flow.changes import StoreDown
from laddbok.workers.again import again_and_again

ENOUGH = 3
FAILURES: list[Callable[[], Exception]] = [
    lambda: StoreDown("gone"),
    lambda: asyncpg.InterfaceError("closed"),
    lambda: AssertionError("a fault of ours"),
    lambda: KeyError("tenant"),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_round_that_fails_is_told_and_the_next_one_comes(
    failure: Callable[[], Exception], caplog: pytest.LogCaptureFixture
) -> None:
    rounds: list[int] = []
    enough = asyncio.Event()

    async def once() -> None:
        rounds.append(len(rounds))
        if len(rounds) == ENOUGH:
            enough.set()
        raise failure()

    async def work() -> None:
        loop = asyncio.create_task(again_and_again("sweeping", once, 0.0))
        async with asyncio.timeout(20):
            await enough.wait()
        assert not loop.done()
        loop.cancel()

    with caplog.at_level(logging.WARNING):
        asyncio.run(work())
    assert [record.getMessage().startswith("sweeping") for record in caplog.records[:ENOUGH]] == [True] * ENOUGH
