"""Is a station left alone until it has spoken? Some start over when they are called before their boot was answered."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from laddbok.gateway.switchboard import QUIET_S, Line
from laddbok.store.embedded import Dsn
from tests.edge.test_writer import BOOT, STATUS, WAIT_S, Ground, run, says

ORDER = (
    "INSERT INTO command (tenant, id, station_no, action, payload, status, requested_by, requested_at) "
    "SELECT tenant, gen_random_uuid(), station_no, 'Reset', '{\"type\": \"Soft\"}', 'queued', 'p', now() FROM station"
)
STATUS_OF = "SELECT status FROM command WHERE action = 'Reset'"


@asynccontextmanager
async def ordered(ground: Ground) -> AsyncIterator[Line]:
    """A person's order is held at the gateway for the one station that is connected and has said nothing yet."""
    await ground.until("SELECT count(*) FROM station WHERE owner = 'g' AND connection_epoch > 0", 1)
    [line] = ground.writer.switchboard.lines.values()
    await ground.pool.execute(ORDER)
    desk = asyncio.create_task(ground.desk().run())
    try:
        async with asyncio.timeout(WAIT_S):
            while not (line.held and line.epoch):
                await asyncio.sleep(0.02)
        yield line
    finally:
        desk.cancel()


@pytest.mark.parametrize(
    ("action", "payload"), [("BootNotification", BOOT), ("StatusNotification", STATUS), ("Heartbeat", {})]
)
def test_S31_nothing_is_sent_before_the_first_word_was_answered(
    fresh_database: Dsn, action: str, payload: dict[str, Any]
) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("CP-1") as socket, ordered(ground):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.recv(), 0.3)
            assert (await says(socket, action, payload))[:2] == [3, "m"]
            assert json.loads(await asyncio.wait_for(socket.recv(), WAIT_S))[2] == "Reset"

    run(fresh_database, body)


def test_S31_a_frame_that_can_not_be_read_is_no_first_word(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("CP-1") as socket, ordered(ground) as line:
            await socket.send("nonsense")
            assert json.loads(await socket.recv())[0] == 4
            assert line.held and not line.may_be_called

    run(fresh_database, body)


def test_S31_a_station_that_stays_silent_sends_no_boot_and_is_called(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("CP-1") as socket, ordered(ground) as line:
            ground.writer.switchboard.tick()
            assert line.held
            line.came_in_s -= QUIET_S
            ground.writer.switchboard.tick()
            assert json.loads(await asyncio.wait_for(socket.recv(), WAIT_S))[2] == "Reset"

    run(fresh_database, body)


def test_S31_what_was_held_for_a_station_that_left_was_never_sent(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("CP-1") as socket, ordered(ground):
            await socket.close()
            await ground.until(STATUS_OF, "not_connected")

    run(fresh_database, body)
