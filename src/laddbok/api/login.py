"""How does a person get in?

By password, then by cookie. The cookie is for this site only and out of reach of scripts. Guessing is slowed down per
person and per address, without looking at the password any more: each guess is booked before it is checked.
"""

from collections.abc import Coroutine
from time import monotonic
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie, State
from litestar.params import JSONBody

from laddbok.api.door import COOKIE, OPEN, OWN_PASSWORD
from laddbok.api.parts import ApiRequest, Parts, parts_of
from laddbok.api.problems import NotAllowed, NotKnown, TooMany
from laddbok.store.people import LOGIN_LASTS, MAX_PASSWORD_CHARS, Asker, change_password, log_in, log_out
from laddbok.store.reads import POOL_TIMEOUT_S

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PASSWORD_CHARS)]
FoundT = TypeVar("FoundT")


class LogIn(msgspec.Struct, forbid_unknown_fields=True):
    """A person's name and password."""

    person: Word
    password: Word


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """The old password and the new one."""

    old: Word
    new: Word


class Me(msgspec.Struct):
    """Who is logged in."""

    person: str
    name: str
    role: str
    must_change_password: bool
    deployment_administrator: bool


@post("/login", opt=OPEN, status_code=200)
async def do_log_in(request: Request[Any, Any, State], data: JSONBody[LogIn]) -> Response[Me]:
    """Log in with a password; the answer sets the cookie."""
    parts = parts_of(request)
    check = log_in(parts.pool, data.person, data.password, parts.wall.now())
    entered = await _guess(request, data.person, check)
    if entered is None:
        raise NotKnown("the name or the password is wrong")
    asker, cookie = entered
    return Response(me_of(asker), cookies=[_cookie(parts, cookie, int(LOGIN_LASTS.total_seconds()))])


@post("/logout", opt=OWN_PASSWORD, status_code=204)
async def do_log_out(request: ApiRequest) -> Response[None]:
    """Log out: the cookie is worth nothing any more."""
    parts = parts_of(request)
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        await log_out(owner, request.cookies.get(COOKIE, ""))
    return Response(None, status_code=204, cookies=[_cookie(parts, "", 0)])


@get("/me", opt=OWN_PASSWORD)
async def show_me(request: ApiRequest) -> Me:
    """Who is asking."""
    return me_of(request.user)


@post("/me/password", opt=OWN_PASSWORD, status_code=200)
async def do_change_password(request: ApiRequest, data: JSONBody[NewPassword]) -> Me:
    """Change one's own password; other log-ins of the same person end."""
    parts = parts_of(request)
    asker = request.user
    if not asker.by_cookie:
        raise NotAllowed("a key has no password")
    check = change_password(parts.pool, asker.name, data.old, data.new, request.cookies[COOKIE])
    if not await _guess(request, asker.name, check):
        raise NotAllowed("the old password is wrong")
    return msgspec.structs.replace(me_of(asker), must_change_password=False)


async def _guess(request: Request[Any, Any, State], person: str, check: Coroutine[Any, Any, FoundT]) -> FoundT:
    """What the check of a password finds, booked as a failure unless it finds something or comes to nothing.

    Raises: TooMany after too many failures; then nothing is checked.
    """
    attempts = parts_of(request).attempts
    address = request.client.host if request.client else ""
    if wait_s := attempts.book(person, address, monotonic()):
        check.close()
        raise TooMany("too many wrong passwords", wait_s)
    try:
        found = await check
    except Exception:
        attempts.give_back(person, address)
        raise
    if found:
        attempts.succeeded(person, address)
    return found


def me_of(asker: Asker) -> Me:
    """Who somebody is, as they may see it."""
    return Me(asker.name, asker.full_name, asker.role, asker.must_change_password, asker.deployment_administrator)


def _cookie(parts: Parts, value: str, lasts_s: int) -> Cookie:
    return Cookie(
        key=COOKIE, value=value, max_age=lasts_s, path="/", httponly=True, samesite="strict",
        secure=parts.settings.secure_cookies,
    )  # fmt: skip
