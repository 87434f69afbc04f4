"""What does a message cost a central system made with the `ocpp` library?

The smallest one that its documentation leads to, without a database and with its checks of messages against the schema
switched off. `python -m laddbok.bench.ocpp_library` prints its port and serves until it is ended.
"""

import asyncio
import logging
from typing import Any

import ocpp.v16 as v16  # type: ignore[import-untyped]
import uvloop
from ocpp.routing import on  # type: ignore[import-untyped]
from ocpp.v16 import call_result
from websockets.asyncio.server import ServerConnection, serve


class _CentralSystem(v16.ChargePoint):  # type: ignore[misc]
    @on("MeterValues", skip_schema_validation=True)  # type: ignore[untyped-decorator]
    def on_meter_values(self, **payload: Any) -> call_result.MeterValues:
        return call_result.MeterValues()


async def _talk(connection: ServerConnection) -> None:
    assert connection.request is not None
    await _CentralSystem(connection.request.path.rpartition("/")[2], connection).start()


async def _main() -> None:
    logging.getLogger("ocpp").setLevel(logging.ERROR)
    async with serve(_talk, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None, backlog=4096) as server:  # type: ignore[list-item]
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_main())
