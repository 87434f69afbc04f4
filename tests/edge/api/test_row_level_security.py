"""Can a tenant see, or touch, what is another's? Tried by plain SQL on every table that there is."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from laddbok.store.embedded import Dsn
from laddbok.store.reads import on_behalf

OURS, THEIRS = 1, 2
OF_THE_DEPLOYMENT = {"lobby", "schema_migration"}
"""Tables without a tenant: who may see them is tested by name."""

TABLES = """
    SELECT c.oid::regclass::text AS name, c.relispartition AS is_partition, c.relrowsecurity AS is_protected,
        EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped) AS has_tenant
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace ORDER BY 1"""

COLUMNS = """
    SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type
    FROM pg_attribute a
    WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attnotnull
        AND NOT a.atthasdef AND a.attidentity = '' ORDER BY a.attnum"""

REFERENCES = """
    SELECT f.confrelid::regclass::text AS owner,
        (SELECT array_agg(a.attname::text ORDER BY n) FROM unnest(f.conkey) WITH ORDINALITY AS k (number, n)
            JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number) AS names,
        (SELECT array_agg(a.attname::text ORDER BY n) FROM unnest(f.confkey) WITH ORDINALITY AS k (number, n)
            JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.number) AS keys
    FROM pg_constraint f WHERE f.conrelid = $1::text::regclass AND f.contype = 'f'"""

VALUES = {
    "integer": "1", "bigint": "1", "smallint": "1", "numeric": "1", "boolean": "false", "text": "'x'", "bytea": "'x'",
    "jsonb": "'{}'", '"char"': "'i'", "timestamp with time zone": "'2026-01-01T00:00:00Z'",
    "uuid": "'00000000-0000-0000-0000-000000000001'", "date": "'2026-01-01'",
}  # fmt: skip

TEXTS = ("x", "1", "1111", "2026-10", "SEK")
"""For a column whose text must have a form: the first that has it."""
GIVEN = {
    "posting": ({"line": "1", "amount": "1"}, {"line": "2", "amount": "-1"}),
    "exchange_rate": ({"base": "'EUR'"},),
}
"""What a row needs that no single column tells: rows that can only be written together, columns that differ."""


@pytest.fixture(scope="module")
def house(fresh_database: Dsn) -> Iterator[Dsn]:
    """Two tenants, and in every table and partition one row of the other tenant's."""
    asyncio.run(_fill(fresh_database))
    yield fresh_database


async def _fill(dsn: Dsn) -> None:
    owner = await asyncpg.connect(**dsn)
    try:
        await owner.execute("SELECT laddbok_frame_partition('2026-01-01')")
        await owner.execute("INSERT INTO tenant (name, created_at) VALUES ('ours', now()), ('theirs', now())")
        await _put_rows_of(owner, THEIRS)
        await _put_row(owner, "frame", THEIRS, received_at="'1970-01-01T00:00:00Z'")
        await _put_row(owner, "lobby", None)
    finally:
        await owner.close()


async def _put_rows_of(owner: Any, tenant: int) -> None:
    """A row in every table that a trigger has not put one into, in whatever order their references allow."""
    tables = await owner.fetch(TABLES)
    empty = [row["name"] for row in tables if row["has_tenant"] and row["name"] != "tenant" and not row["is_partition"]]
    while empty:
        left = []
        for table in empty:
            if await owner.fetch(f"SELECT FROM {table} WHERE tenant = {tenant}"):
                continue
            try:
                async with owner.transaction():
                    await _put_rows(owner, table, tenant, GIVEN.get(table, ({},)))
            except asyncpg.ForeignKeyViolationError:
                left.append(table)
        assert len(left) < len(empty), f"no row could be put into {left}"
        empty = left


async def _put_row(owner: Any, table: str, tenant: int | None, **given: str) -> None:
    await _put_rows(owner, table, tenant, (given,))


async def _put_rows(owner: Any, table: str, tenant: int | None, given: tuple[dict[str, str], ...]) -> None:
    """Rows that differ in what is given, in one statement."""
    values = {row["name"]: VALUES[row["type"]] for row in await owner.fetch(COLUMNS, table)}
    allowed = await owner.fetch(
        "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = 'c'",
        table,
    )
    for constraint in allowed:
        choice = re.search(r"\((\w+) = ANY \(ARRAY\[('[^']*'|\d+)", constraint["text"])
        if choice and choice[1] in values:
            values[choice[1]] = choice[2]
        pattern = re.search(r"\((\w+) ~ '([^']*)'", constraint["text"])
        if pattern and pattern[1] in values:
            values[pattern[1]] = f"'{next(each for each in TEXTS if re.search(pattern[2], each))}'"
    values |= await _referred_to(owner, table, tenant, values)
    if tenant is not None:
        values["tenant"] = str(tenant)
    rows = [values | each for each in given]
    told = ", ".join(f"({', '.join(row.values())})" for row in rows)
    await owner.execute(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {told}")


async def _referred_to(owner: Any, table: str, tenant: int | None, values: dict[str, str]) -> dict[str, str]:
    """For the columns that refer to another table: the keys of a row there, if there is one."""
    found: dict[str, str] = {}
    for reference in await owner.fetch(REFERENCES, table):
        keys = ", ".join(f"quote_literal({key}::text)" for key in reference["keys"])
        row = await owner.fetchrow(f"SELECT {keys} FROM {reference['owner']} WHERE tenant = $1", tenant)
        found |= {name: key for name, key in zip(reference["names"], row or (), strict=False) if name in values}
    return found


def _asked(dsn: Dsn, tenant: int, statement: str, *, write: bool = False, deployment: bool = False) -> list[Any]:
    async def run() -> list[Any]:
        pool = await asyncpg.create_pool(**dsn, min_size=1, max_size=1)
        try:
            async with on_behalf(pool, tenant, deployment_administrator=deployment, write=write) as connection:
                rows: list[Any] = await connection.fetch(statement)
        finally:
            await pool.close()
        return rows

    return asyncio.run(run())


def _owner(dsn: Dsn, statement: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(**dsn)
        try:
            rows: list[Any] = await connection.fetch(statement)
        finally:
            await connection.close()
        return rows

    return asyncio.run(run())


def test_a_request_is_neither_owner_nor_superuser(house: Dsn) -> None:
    statement = """SELECT current_user::text AS name, r.rolsuper, r.rolbypassrls,
        EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid) AS owns FROM pg_roles r WHERE r.rolname = current_user"""
    [row] = _asked(house, OURS, statement)
    assert dict(row) == {"name": "laddbok_api", "rolsuper": False, "rolbypassrls": False, "owns": False}


def test_the_role_and_tenant_end_with_the_transaction(house: Dsn) -> None:
    async def run() -> tuple[str, str]:
        pool = await asyncpg.create_pool(**house, min_size=1, max_size=1)
        try:
            async with on_behalf(pool, OURS) as connection:
                await connection.fetchval("SELECT 1")
            async with pool.acquire() as connection:
                row = await connection.fetchrow(
                    "SELECT current_user::text, coalesce(current_setting('laddbok.tenant', true), '')"
                )
                return row[0], row[1]
        finally:
            await pool.close()

    user, tenant = asyncio.run(run())
    assert user != "laddbok_api"
    assert tenant == ""


def test_every_table_is_protected_and_holds_a_row_of_the_other_tenant(house: Dsn) -> None:
    tables = _owner(house, TABLES)
    assert len(tables) > 30
    assert [
        table["name"] for table in tables if not table["is_protected"] and table["name"] != "schema_migration"
    ] == []
    assert {table["name"] for table in tables if not table["has_tenant"]} <= OF_THE_DEPLOYMENT
    for table in tables:
        if table["has_tenant"]:
            assert _owner(house, f"SELECT FROM {table['name']} WHERE tenant = {THEIRS}"), table["name"]


def test_a_foreign_row_is_invisible_in_every_table(house: Dsn) -> None:
    for table in _owner(house, TABLES):
        if table["has_tenant"]:
            try:
                rows = _asked(house, OURS, f"SELECT tenant FROM {table['name']}")
            except asyncpg.InsufficientPrivilegeError:
                # Partitions are reached through their parent only.
                assert table["is_partition"], table["name"]
                continue
            assert {row["tenant"] for row in rows} <= {OURS}, table["name"]


def test_ones_own_row_is_visible_in_every_table(house: Dsn) -> None:
    for table in _owner(house, TABLES):
        if table["has_tenant"] and not table["is_partition"]:
            rows = _asked(house, THEIRS, f"SELECT tenant FROM {table['name']}")
            assert {row["tenant"] for row in rows} == {THEIRS}, table["name"]


def test_without_a_tenant_there_are_no_rows(house: Dsn) -> None:
    async def run() -> list[str]:
        connection = await asyncpg.connect(**house)
        seen = []
        try:
            for table in await connection.fetch(TABLES):
                if table["has_tenant"] and not table["is_partition"]:
                    async with connection.transaction():
                        await connection.execute("SET LOCAL ROLE laddbok_api")
                        if await connection.fetch(f"SELECT FROM {table['name']}"):
                            seen.append(table["name"])
        finally:
            await connection.close()
        return seen

    assert asyncio.run(run()) == []


def test_a_foreign_row_can_neither_be_written_nor_taken_over(house: Dsn) -> None:
    written = _asked(house, OURS, "UPDATE site SET name = 'taken' RETURNING id", write=True)
    assert written == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        _asked(
            house, OURS,
            f"INSERT INTO site (tenant, id, name, time_zone) VALUES ({THEIRS}, 'mine', 'mine', 'UTC')", write=True,
        )  # fmt: skip
    assert _owner(house, f"SELECT name FROM site WHERE tenant = {THEIRS}")[0]["name"] == "x"


def test_evidence_cdrs_and_sessions_are_read_only(house: Dsn) -> None:
    for table in (
        "frame",
        "session",
        "session_range",
        "session_live",
        "live_period",
        "session_curve",
        "cdr",
        "rated_line",
        "orphan",
        "station_traits",
        "spot_price",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            _asked(house, THEIRS, f"DELETE FROM {table}", write=True)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            _asked(house, THEIRS, f"UPDATE {table} SET tenant = tenant", write=True)


@pytest.mark.parametrize(
    ("table", "change"),
    [("job", "due_at = now()"), ("job", f"tenant = {OURS}"), ("orphan", "wanted = '{}', match_error = NULL")],
)
def test_work_and_wishes_of_another_tenant_are_out_of_reach(house: Dsn, table: str, change: str) -> None:
    before = _owner(house, f"SELECT * FROM {table} WHERE tenant = {THEIRS}")
    assert _asked(house, OURS, f"UPDATE {table} SET {change} RETURNING tenant", write=True) == []
    assert _owner(house, f"SELECT * FROM {table} WHERE tenant = {THEIRS}") == before


def test_work_can_neither_be_put_before_another_tenant_nor_be_taken_from_it_by_its_name(house: Dsn) -> None:
    insert = "INSERT INTO job (tenant, kind, key, due_at) VALUES ({}, 'x', 'x', now())"
    queue_once = f"{insert} ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at"
    for statement in (insert.format(THEIRS), queue_once.format(THEIRS), queue_once.format(OURS)):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            _asked(house, OURS, statement, write=True)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        _asked(house, THEIRS, "DELETE FROM job", write=True)


def test_an_orphan_is_changed_only_by_a_wish(house: Dsn) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        _asked(house, THEIRS, "UPDATE orphan SET matched_session_id = 'mine'", write=True)
    assert _asked(house, THEIRS, "UPDATE orphan SET wanted = NULL RETURNING tenant", write=True)


def test_only_the_deployments_administrator_sees_the_lobby(house: Dsn) -> None:
    assert _asked(house, OURS, "SELECT identity FROM lobby") == []
    assert len(_asked(house, OURS, "SELECT identity FROM lobby", deployment=True)) == 1


def test_reading_is_read_only(house: Dsn) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        _asked(house, OURS, "UPDATE site SET name = name")
