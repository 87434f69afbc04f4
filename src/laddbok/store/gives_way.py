"""What when the database chose a transaction to give way to another one?

Of two transactions that wait for each other PostgreSQL ends one, and one that would not be serialisable. Nothing of it
was written and nothing is wrong with it, so it is simply done again, and no station hears of it.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import asyncpg

from laddbok.flow.changes import StoreDown

T = TypeVar("T")
SERIALIZATION_TRIES = 5
GAVE_WAY = (asyncpg.exceptions.SerializationError, asyncpg.exceptions.DeadlockDetectedError)


async def retried(work: Callable[[], Awaitable[T]]) -> T:
    """Do it, and again when it had to give way.

    Raises: StoreDown after `SERIALIZATION_TRIES`, so that it is tried once more later.
    Source: PostgreSQL 18, 13.5 Serialization Failure Handling; case S68.
    """
    for _ in range(SERIALIZATION_TRIES - 1):
        with suppress(*GAVE_WAY):
            return await work()
    try:
        return await work()
    except GAVE_WAY as error:
        raise StoreDown(str(error)) from error
