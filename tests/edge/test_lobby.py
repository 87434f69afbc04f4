"""Can a stranger take over a station that waits in the lobby, or close the lobby to the others? On a real database."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest

from laddbok.gateway.admission import KNOCKS_AT_ONCE, MAX_LOBBY, MAX_LOBBY_OF_ADDRESS, Doorkeeper
from laddbok.gateway.connection import Connection, Lobby, Refuse
from laddbok.gateway.credentials import Credentials, verify_password
from laddbok.gateway.lobby import MAX_WAITING_OF_ADDRESS, WaitingRoom
from laddbok.store.embedded import Dsn
from laddbok.store.postgres import PostgresStore
from laddbok.workers.housekeeping import LOBBY_LASTS, Housekeeper

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@dataclass
class Ground:
    """A doorkeeper at an empty lobby."""

    pool: asyncpg.Pool
    doorkeeper: Doorkeeper

    async def knock(self, identity: str, password: bytes | None = b"its own", address: str = HOME) -> Any:
        credentials = None if password is None else Credentials(identity, password)
        return await self.doorkeeper.admit(identity, credentials, address)

    async def row(self, identity: str) -> Any:
        return await self.pool.fetchrow("SELECT * FROM lobby WHERE identity = $1", identity)

    async def fill(self, count: int, network: str | None = None) -> None:
        await self.pool.execute(
            "INSERT INTO lobby (identity, first_seen_at, last_seen_at, address, network, protocol)"
            " SELECT 'F-' || n, $2, $2, coalesce($3, 'x' || n), coalesce($3, 'x' || n), ''"
            " FROM generate_series(1, $1) AS n",
            count, NOW, network,
        )  # fmt: skip


Body = Callable[[Ground], Awaitable[None]]


@pytest.fixture
def at_the_door(fresh_database: Dsn) -> Iterator[Callable[[Body], None]]:
    """Runs a test's body at an empty lobby."""

    async def run(body: Body) -> None:
        async with asyncpg.create_pool(**fresh_database, min_size=1, max_size=4) as pool:
            await pool.execute("DELETE FROM lobby")
            await body(Ground(pool, Doorkeeper(pool, lambda: NOW, admit_unknown=False)))

    yield lambda body: asyncio.run(run(body))


def test_the_first_password_stays_and_another_one_leaves_a_mark(at_the_door: Callable[[Body], None]) -> None:
    async def body(ground: Ground) -> None:
        for _ in range(2):
            assert await ground.knock("CP-1") == Lobby()
        row = await ground.row("CP-1")
        assert (row["attempts"], row["other_password"], row["other_address"]) == (2, False, None)
        assert await ground.knock("CP-1", b"a stranger's") == Lobby()
        row = await ground.row("CP-1")
        assert row["other_password"] is True and verify_password(row["password_hash"], b"its own")

    at_the_door(body)


@pytest.mark.parametrize(("first", "then"), [(None, b"a stranger's"), (b"its own", None)])
def test_no_password_is_another_one_too(
    at_the_door: Callable[[Body], None], first: bytes | None, then: bytes | None
) -> None:
    async def body(ground: Ground) -> None:
        await ground.knock("CP-1", first)
        assert (await ground.row("CP-1"))["other_password"] is False
        await ground.knock("CP-1", then)
        row = await ground.row("CP-1")
        assert row["other_password"] is True and (row["password_hash"] is None) == (first is None)

    at_the_door(body)


def test_another_address_leaves_a_mark_that_stays(at_the_door: Callable[[Body], None]) -> None:
    async def body(ground: Ground) -> None:
        for address in ("2001:db8::1", "2001:db8::2"):
            await ground.knock("CP-1", address=address)
        row = await ground.row("CP-1")
        assert (row["address"], row["other_address"]) == ("2001:db8::1", None)
        for address in (ELSEWHERE, "2001:db8::1"):
            await ground.knock("CP-1", address=address)
        row = await ground.row("CP-1")
        assert (row["address"], row["other_address"]) == ("2001:db8::1", ELSEWHERE)

    at_the_door(body)


def test_a_flood_of_knocks_from_one_address_waits_and_others_come_in(at_the_door: Callable[[Body], None]) -> None:
    async def body(ground: Ground) -> None:
        answers = [await ground.knock(f"FLOOD-{number}") for number in range(KNOCKS_AT_ONCE * 2)]
        assert answers[:KNOCKS_AT_ONCE] == [Lobby()] * KNOCKS_AT_ONCE
        late = answers[KNOCKS_AT_ONCE:]
        assert all(isinstance(each, Refuse) and each.status == 429 and each.retry_after_s for each in late)
        assert await ground.row(f"FLOOD-{KNOCKS_AT_ONCE}") is None
        assert await ground.knock("CP-1", address=ELSEWHERE) == Lobby()

    at_the_door(body)


@pytest.mark.parametrize(("count", "network"), [(MAX_LOBBY, None), (MAX_LOBBY_OF_ADDRESS, HOME)])
def test_when_there_is_no_room_those_who_wait_already_still_may(
    at_the_door: Callable[[Body], None], count: int, network: str | None
) -> None:
    async def body(ground: Ground) -> None:
        await ground.fill(count, network)
        refused = await ground.knock("CP-1")
        assert isinstance(refused, Refuse) and refused.status == 503 and refused.retry_after_s
        assert await ground.knock("F-1", None) == Lobby()
        other = await ground.knock("CP-1", address=ELSEWHERE)
        assert other == Lobby() if network else isinstance(other, Refuse)

    at_the_door(body)


def test_who_knocks_no_more_is_forgotten(at_the_door: Callable[[Body], None]) -> None:
    async def body(ground: Ground) -> None:
        await ground.fill(1)
        for later, kept in ((LOBBY_LASTS, True), (LOBBY_LASTS + timedelta(seconds=1), False)):
            now = NOW + later
            await Housekeeper(PostgresStore(ground.pool), ground.pool, lambda at=now: at, 1).once()
            assert (await ground.row("F-1") is not None) == kept

    at_the_door(body)


def waiting(identity: str, address: str = HOME) -> Connection:
    return cast(Connection, SimpleNamespace(station_identity=identity, remote_address=address))


def test_each_identity_waits_on_its_newest_connection() -> None:
    room, old, new = WaitingRoom(), waiting("CP-1"), waiting("CP-1", ELSEWHERE)
    assert room.enter(old) is None
    assert room.enter(new) is old
    room.leave(old)
    assert len(room) == 1
    room.leave(new)
    assert len(room) == 0


def test_one_address_fills_only_its_part_of_the_waiting_room() -> None:
    room = WaitingRoom()
    first = [waiting(f"CP-{number}") for number in range(MAX_WAITING_OF_ADDRESS)]
    assert not any(room.enter(each) for each in first)
    elsewhere = waiting("OTHER", ELSEWHERE)
    assert room.enter(elsewhere) is None
    for one_more in (waiting("ONE-MORE"), waiting("OTHER")):
        assert room.enter(one_more) is one_more
    room.leave(one_more)  # it never came in, so the one who waits under its identity stays
    assert room.enter(waiting("CP-0")) is first[0]
    room.leave(elsewhere)
    assert len(room) == MAX_WAITING_OF_ADDRESS
    room.leave(first[1])
    assert room.enter(waiting("ONE-MORE")) is None
