"""What does a loop of a worker do when a round of it fails?

It says so, and the next round comes all the same: a database that is gone comes back, and a fault of ours in one chore ends
neither the other chores nor the platform.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import asyncpg

from laddbok.flow.changes import OutcomeUnknown, StoreDown

log = logging.getLogger(__name__)

GONE = (StoreDown, OutcomeUnknown, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What means that the database, or whom we asked, is not there: expected, and told in a line."""


async def again_and_again(chore: str, once: Callable[[], Awaitable[object]], every_s: float) -> None:
    """Do it until cancelled.

    Args: chore, as a person reads it in the log; every_s, the pause between two rounds [s].
    Source: our choice.
    """
    while True:
        try:
            await once()
        except GONE as error:
            log.warning("%s: %s", chore, str(error) or type(error).__name__)
        except Exception:  # a broken invariant of ours is logged with its trace, and stops nobody else
            log.exception("%s", chore)
        await asyncio.sleep(every_s)
