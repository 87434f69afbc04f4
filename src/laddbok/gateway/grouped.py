"""How do thousands of single questions become few queries?

While one query is under way, the next questions gather; they are then asked together. A reconnect storm of thousands of
stations costs tens of queries.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_GROUP = 500
MAX_WAITING = 5_000


class TooMany(Exception):
    """More wait than we take; try again later."""


class Grouped(Generic[Key, Value]):
    """`await ask(key)`, answered by a function that answers many keys at once."""

    def __init__(self, ask_many: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._ask_many = ask_many
        self._waiting: list[tuple[Key, asyncio.Future[Value | None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, key: Key) -> Value | None:
        """The value for this key, None when there is none. Raises: TooMany; and what `ask_many` raises."""
        if len(self._waiting) >= MAX_WAITING:
            raise TooMany
        answer: asyncio.Future[Value | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
            try:
                values = await self._ask_many([key for key, _ in group])
            except Exception as error:
                for _, answer in group:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            for key, answer in group:
                if not answer.done():
                    answer.set_result(values.get(key))
        self._task = None
