"""Who asks, and may they?

Every request but a few named ones shows a key (`Authorization: Bearer KEY`) or the console's cookie. Readers look,
operators act, administrators set up. A write by cookie also needs the header `X-Laddbok: 1`, which no foreign page can
send. Whoever still has a one-time password may only change it.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from laddbok.api.parts import Parts
from laddbok.api.problems import NotAllowed, NotKnown
from laddbok.store.people import Asker, asker_by_cookie, asker_by_key
from laddbok.store.reads import POOL_TIMEOUT_S

COOKIE = "laddbok_login"
OPEN = {"open_to_all": True}
"""`opt` of a handler that needs no log-in."""
OWN_PASSWORD = {"needs": "reader", "with_one_time_password": True}
READER = {"needs": "reader"}
ADMINISTRATOR = {"needs": "administrator"}
LOBBY = {"needs": "administrator", "deployment": True}
"""`opt` of a handler for a deployment's administrator: the lobby belongs to no tenant."""

_RANK = {"reader": 0, "operator": 1, "administrator": 2}
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_SECRET_CHARS = 512


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Find the asker, put them in `connection.user`, and refuse what they may not do.

    Raises: NotKnown, NotAllowed.
    """
    if handler.opt.get("open_to_all"):
        return
    asker = await _asker(connection)
    if asker is None:
        raise NotKnown("log in, or send a valid key as Authorization: Bearer KEY")
    method = str(dict(connection.scope)["method"])
    _check(asker, method, handler.opt, is_marked=connection.headers.get("x-laddbok") == "1")
    connection.scope["user"] = asker


def _check(asker: Asker, method: str, opt: dict[str, Any], *, is_marked: bool) -> None:
    if asker.must_change_password and not opt.get("with_one_time_password"):
        raise NotAllowed("choose a password of your own first: POST /api/v1/me/password")
    if asker.by_cookie and method not in _READS and not is_marked:
        raise NotAllowed("a write with the console's cookie needs the header X-Laddbok: 1")
    needs = opt.get("needs", "reader" if method in _READS else "operator")
    if _RANK[asker.role] < _RANK[needs]:
        raise NotAllowed(f"this needs the role {needs}; {asker.name} is {asker.role}")
    if opt.get("deployment") and not asker.deployment_administrator:
        raise NotAllowed("this needs an administrator of the whole deployment")


async def _asker(connection: ASGIConnection[Any, Any, Any, Any]) -> Asker | None:
    parts = connection.app.state.parts
    assert isinstance(parts, Parts)
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    key = key.strip()
    cookie = connection.cookies.get(COOKIE, "")
    if len(key) > MAX_SECRET_CHARS or len(cookie) > MAX_SECRET_CHARS or not (key or cookie):
        return None
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        if key:
            return await asker_by_key(owner, key) if scheme.lower() == "bearer" else None
        return await asker_by_cookie(owner, cookie, parts.wall.now())
