"""What does the rest of the gateway see of a station's socket?

One `Connection` per station: bytes out, bytes in, pause, close. Who may come in is decided by `Admit`, and everything
that happens is told to one `ConnectionEvents`. Both are handed to the server; nothing here knows OCPP or a database.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from laddbok.gateway.credentials import Credentials
from laddbok.gateway.handshake import Refuse

__all__ = [
    "Accept",
    "Admission",
    "Admit",
    "Connection",
    "ConnectionEvents",
    "Lobby",
    "Refuse",
    "SocketSettings",
]


class Accept(msgspec.Struct, frozen=True, kw_only=True):
    """A station that we run, and has proven it."""

    tenant: int
    station_no: int
    subprotocol: str | None = None
    """The version it is to be spoken to in, when it offers that."""
    password_hash: bytes | None = None
    """What its password was checked against; a renewed password ends the connection."""


class Lobby(msgspec.Struct, frozen=True):
    """A station that nobody has admitted yet: connected, but it belongs to no tenant."""


Admission = Accept | Lobby | Refuse

Admit = Callable[[str, Credentials | None, str], Awaitable[Admission]]
"""(identity, credentials, address) -> who it is. Asked once per connection, before the handshake is answered."""


class Connection(Protocol):
    """The open socket of one station."""

    station_identity: str
    subprotocol: str
    """`ocpp1.6` or `ocpp2.0.1`, always one of ours."""
    remote_address: str
    admission: Accept | Lobby
    deadline_s: float
    """Silence after which it counts as dead [s]; three heartbeats."""
    context: Any
    """Whatever the owner of the connection wants to find again without a look-up."""

    def send(self, data: bytes) -> None:
        """Send one text message; nothing happens when the connection is closing."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Close with a websocket close code; what was sent before still goes out."""
        ...

    def pause_reading(self) -> None:
        """No message is delivered until `resume_reading`, not even one that has arrived."""
        ...

    def resume_reading(self) -> None:
        """Deliver messages again."""
        ...


class ConnectionEvents(Protocol):
    """What the owner of the connections is told. All are called in the event loop and must not block."""

    def on_open(self, connection: Connection) -> None:
        """The handshake is done; messages follow."""
        ...

    def on_message(self, connection: Connection, data: bytes) -> None:
        """One whole message, unpacked, not yet looked at."""
        ...

    def on_oversize(self, connection: Connection, head: bytes, size_bytes: int) -> None:
        """A message was longer than allowed and is lost but for its first bytes; the connection lives."""
        ...

    def on_close(self, connection: Connection, code: int) -> None:
        """The connection is gone, exactly once for each `on_open`. 1006: without a close from either side."""
        ...


class SocketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the listening side."""

    host: str = "127.0.0.1"
    port: int = 9000
    max_connections: int = 20_000
    max_message_bytes: int = 256 * 1024
    max_messages_per_s: int = 1000
    max_bytes_per_s: int = 256 * 1024
    """What one station may say in a second, unpacked; beyond it its socket is not read until the next second."""
    flood_ends_s: float = 60.0
    """A station that says more than so many messages in each second for so long is disconnected."""
    max_outgoing_bytes: int = 1024 * 1024
    """A station that lets this much wait unread is disconnected."""
    handshake_timeout_s: float = 10.0
    """From the connect until the handshake is answered."""
    close_timeout_s: float = 5.0
    """From our close until the station's."""
    deadline_s: float = 900.0
    """Silence until the owner sets the connection's own deadline; three heartbeats of 300 s."""
    ping_after_s: float = 60.0
    """Silence after which we ping, to keep routers awake. No answer proves nothing (S65). 0: never."""
    assume_subprotocol: str | None = "ocpp1.6"
    """Spoken with a station that names no subprotocol (S72); None: it is refused."""
    failures_at_once: int = 20
    failure_refill_s: float = 6.0
    """Failed handshakes of one address: so many at once, then one each so many seconds."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-For is believed."""
