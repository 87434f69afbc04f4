"""How is the API reached?

By uvicorn on one port, in the event loop that is running already, until it is told to stop. Signals stay with whoever
runs us.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.h11_impl import H11Protocol

from laddbok.api.parts import Parts
from laddbok.model.errors import ConfigurationError

BACKLOG = 512
MAX_CONNECTIONS = 2_000
KEEP_ALIVE_S = 30
REQUEST_S = 30.0
"""From the connect, or a request's first byte, until the request is whole; uvicorn has no such limit of its own."""
GRACE_S = 3
"""How long requests may go on after the end was called."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class BoundedRequest(H11Protocol):
    """A connection that is closed when its request does not become whole in time, so that none holds a slot for ever.

    Source: our choice; the attack is known as slow headers or slow body.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request; the wait is over when that was its last."""
        super().data_received(data)
        is_whole = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if is_whole:
            self._wait_no_more()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(REQUEST_S, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Args: port: 0 takes a free one.
    Raises: ConfigurationError when the port is taken or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by each connection; without it asyncio's own loop lets small answers wait 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"can't listen on {host}:{port} for the console and API: {error.strerror}") from error
    listener.listen(BACKLOG)
    return listener


async def serve(api: Litestar, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve until `stop` is set: streams end at once, requests that run may finish."""
    config = uvicorn.Config(
        api, loop="none", http=BoundedRequest, lifespan="on", log_config=None, access_log=False, server_header=False, ws="none",
        limit_concurrency=MAX_CONNECTIONS, timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=GRACE_S,
    )  # fmt: skip
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        parts = api.state.parts
        assert isinstance(parts, Parts)
        parts.live.close()
        server.should_exit = True
        stopped.cancel()
        await running
