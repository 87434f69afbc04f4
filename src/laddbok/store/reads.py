"""In whose name is this asked, and which page of the answer is wanted?

People's reads and writes run in one transaction each, as the role `laddbok_api` and with the asker's tenant set, so
row-level security decides what exists: a query that forgets its tenant finds nothing. Lists are read in pages by
the sort key of the last row seen, so a page costs the same wherever it stands.

>>> text = after_cursor((1767225600000000, "AWQD"))
>>> parse_cursor(text, int, str)
(1767225600000000, 'AWQD')
"""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from laddbok.model.errors import Invalid
from laddbok.store.sql import query

MAX_PAGE_ROWS = 500
STATEMENT_TIMEOUT_MS = 10_000
"""No question of a person may hold the database longer."""
POOL_TIMEOUT_S = 5.0
"""How long a request waits for a free connection before it is told that the database is busy."""
MAX_CURSOR_CHARS = 400
MAX_CURSOR_NUMBER = 2**63 - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Filters:
    """The conditions of one question, each with its argument.

    Only the arguments come from outside; `into` puts the conditions where the query says `/* filters */`. Arguments
    that the query itself names come first.

    >>> filters = Filters()
    >>> filters.add("id = ?", "a1")
    >>> filters.into("SELECT 1 FROM site WHERE /* filters */ LIMIT 1")
    'SELECT 1 FROM site WHERE id = $1 LIMIT 1'
    """

    def __init__(self, *arguments: object) -> None:
        self.arguments = list(arguments)
        self._conditions: list[str] = []

    def add(self, condition: str, *arguments: object) -> None:
        """One more condition that must hold; each `?` in it stands for the next argument, or for the only one."""
        first = len(self.arguments) + 1
        self.arguments.extend(arguments)
        places = [f"${first + number}" for number in range(len(arguments))]
        for number in range(condition.count("?")):
            condition = condition.replace("?", places[min(number, len(places) - 1)], 1)
        self._conditions.append(condition)

    def into(self, statement: str) -> str:
        """The statement with these conditions."""
        return statement.replace("/* filters */", " AND ".join(self._conditions) or "true")


@asynccontextmanager
async def on_behalf(
    pool: asyncpg.Pool, tenant: int, *, deployment_administrator: bool = False, write: bool = False
) -> AsyncIterator[asyncpg.Connection]:
    """One transaction in a tenant's name; committed at the end of the block, rolled back when it raises.

    Args: deployment_administrator: sees the lobby too, which belongs to no tenant. write: else it is read-only.
    Source: our choice, design "Tenants, sellers, hosts, people".
    """
    async with pool.acquire(timeout=POOL_TIMEOUT_S) as connection, connection.transaction(readonly=not write):
        await connection.execute(
            query("on_behalf"), str(tenant), "yes" if deployment_administrator else "", str(STATEMENT_TIMEOUT_MS)
        )
        yield connection


@asynccontextmanager
async def as_owner(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """A part of a transaction in a tenant's name that only the tables' owner may do, such as taking a number.

    Row-level security is off in it: what is done there names its tenant. When it raises, the transaction must end.
    Source: our choice, docs/rules.md "What is never changed".
    """
    await connection.execute(query("as_owner"))
    yield
    await connection.execute(query("as_api"))


async def read_rows(
    connection: asyncpg.Connection, name: str, filters: Filters, limit: int
) -> Sequence[asyncpg.Record]:
    """The rows of a named query that fit, at most `limit`; its text ends with LIMIT."""
    rows: Sequence[asyncpg.Record] = await connection.fetch(
        f"{filters.into(query(name))} {limit:d}", *filters.arguments
    )
    return rows


def after_cursor(key: tuple[int | str, ...]) -> str:
    """The opaque word that a client sends to get what follows the row with this sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def parse_cursor(text: str, *kinds: type[int] | type[str]) -> tuple[int | str, ...]:
    """The sort key inside a cursor.

    Args: kinds: the type of each part of the key.
    Raises: Invalid("cursor") for anything that `after_cursor` has not made.
    """
    try:
        if len(text) > MAX_CURSOR_CHARS:
            raise ValueError("too long")
        key = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if [type(part) for part in key] != list(kinds):
            raise ValueError("parts of another kind")
        if any("\0" in part if isinstance(part, str) else abs(part) > MAX_CURSOR_NUMBER for part in key):
            raise ValueError("parts that the database can't compare with")
    except (ValueError, TypeError, msgspec.DecodeError) as error:
        raise Invalid("cursor", "not a cursor that this list gave out") from error
    return tuple(key)


def cursor_number(instant: datetime) -> int:
    """An instant as it stands in a sort key: microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def cursor_instant(number: int | str) -> datetime:
    """The instant that stands in a sort key.

    Raises: Invalid("cursor") when it is out of range.
    """
    assert isinstance(number, int)
    try:
        return _EPOCH + number * _MICROSECOND
    except OverflowError as error:
        raise Invalid("cursor", "not a cursor that this list gave out") from error
