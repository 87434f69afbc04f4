"""How do stations reach the gateway?

One listening port, one `StationSocket` per station, and one sweep each second that ends what is overdue.
"""

import asyncio
import contextlib
import errno
import resource

from laddbok.gateway.connection import Admit, ConnectionEvents, SocketSettings
from laddbok.gateway.station_socket import MAX_SURPLUS, Rim, StationSocket
from laddbok.gateway.websocket import GOING_AWAY
from laddbok.model.errors import ConfigurationError

SWEEP_S = 1.0
SWEEP_SLICE = 1000
"""So many sockets are checked before others get their turn in the event loop."""
BACKLOG = 4096
SPARE_FILES = 512
"""Open files that are not stations: database, logs, the API."""


class GatewayServer:
    """The listening side of the gateway. `await GatewayServer.start(...)`, and `await close()` at the end."""

    def __init__(self, rim: Rim, listener: asyncio.Server) -> None:
        self._rim = rim
        self._listener = listener
        self._sweep = rim.loop.create_task(self._sweep_forever())

    @classmethod
    async def start(cls, settings: SocketSettings, admit: Admit, events: ConnectionEvents) -> "GatewayServer":
        """Listen for stations.

        Raises: ConfigurationError when the port can't be had.
        """
        _allow_open_files(settings.max_connections + MAX_SURPLUS + SPARE_FILES)
        rim = Rim(settings, admit, events)
        try:
            listener = await rim.loop.create_server(
                lambda: StationSocket(rim), settings.host, settings.port, backlog=BACKLOG
            )
        except OSError as error:
            raise ConfigurationError(_reason(error, settings)) from error
        return cls(rim, listener)

    @property
    def port(self) -> int:
        """The port that is listened on; of use when the settings said 0."""
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    @property
    def connection_count(self) -> int:
        """Sockets of stations, also those that are opening or closing."""
        return len(self._rim.sockets)

    def close_connections(self, code: int, reason: str = "") -> None:
        """Close every open connection; the port stays open. Stations come back by themselves."""
        for socket in tuple(self._rim.sockets):
            socket.close(code, reason)

    async def close(self, code: int = GOING_AWAY, reason: str = "the gateway stops") -> None:
        """Stop listening, close all connections, and return when all are gone, at most after `close_timeout_s`."""
        self._listener.close()
        self.close_connections(code, reason)
        until_s = self._rim.loop.time() + self._rim.settings.close_timeout_s
        while self._rim.sockets and self._rim.loop.time() < until_s:
            await asyncio.sleep(0.02)
        for socket in tuple(self._rim.sockets):
            socket.abort()
        self._sweep.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sweep
        await self._listener.wait_closed()

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            sockets = tuple(self._rim.sockets)
            for start in range(0, len(sockets), SWEEP_SLICE):
                now_s = self._rim.loop.time()
                for socket in sockets[start : start + SWEEP_SLICE]:
                    socket.check(now_s)
                await asyncio.sleep(0)


def _allow_open_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _reason(error: OSError, settings: SocketSettings) -> str:
    where = f"port {settings.port} on {settings.host}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is taken by another program; set LADDBOK_OCPP_PORT to a free one"
    return f"{where} can't be listened on: {error.strerror or error}"
