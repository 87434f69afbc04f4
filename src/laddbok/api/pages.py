"""How does a long list leave the house?

In pages: `limit` items and the cursor of what follows, or null at the end. One row more than asked for is read, which
tells whether there is more.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import asyncpg
import msgspec
from litestar.params import QueryParameter

from laddbok.api.parts import ApiRequest, asked
from laddbok.model.errors import NotFound
from laddbok.store.reads import MAX_PAGE_ROWS, Filters, after_cursor, read_rows

DEFAULT_LIMIT = 50

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE_ROWS, description="How many items at most.")]
Cursor = Annotated[str | None, QueryParameter(description="`next` of the page before.")]

ItemT = TypeVar("ItemT")


class Page(msgspec.Struct, Generic[ItemT]):
    """Some items of a list; `next` is the cursor of the following page, null when there is none."""

    items: list[ItemT]
    next: str | None = None


def cut(
    rows: Sequence[asyncpg.Record], limit: int, key: Callable[[asyncpg.Record], tuple[int | str, ...]]
) -> tuple[Sequence[asyncpg.Record], str | None]:
    """The rows of one page and the cursor of the next.

    Args: rows: up to limit + 1 rows. key: a row's sort key.
    """
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], after_cursor(key(rows[limit - 1]))


async def read_page(
    request: ApiRequest, name: str, filters: Filters, limit: int, key: Callable[[asyncpg.Record], tuple[int | str, ...]]
) -> tuple[Sequence[asyncpg.Record], str | None]:
    """The rows of one page of a named query and the cursor of the next, read in the asker's name."""
    async with asked(request) as connection:
        return cut(await read_rows(connection, name, filters, limit + 1), limit, key)


async def read_one(
    connection: asyncpg.Connection, name: str, filters: Filters, noun: str, shown: str
) -> asyncpg.Record:
    """The one row of a named query that fits.

    Raises: NotFound naming what was looked for.
    """
    rows = await read_rows(connection, name, filters, 1)
    if not rows:
        raise NotFound(noun, shown)
    return rows[0]
