"""How does a write that is sent twice act once?

With an `Idempotency-Key` the first request takes the key, acts, and leaves its answer under the key, all in one
transaction; the same request again gets the same answer. A different request under a used key is refused. A secret
that is shown once is not kept: the repeated answer has null in its place.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated, TypeVar

import asyncpg
import msgspec
from litestar import Response
from litestar.params import HeaderParameter

from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.problems import MEDIA_TYPE as PROBLEM_MEDIA_TYPE
from laddbok.model.errors import Conflict, Invalid
from laddbok.store.sql import query

MAX_KEY_CHARS = 200

IdempotencyKey = Annotated[
    str | None, HeaderParameter(name="Idempotency-Key", description="The same key again gets the same answer.")
]
AnswerT = TypeVar("AnswerT", bound=msgspec.Struct | None)
Work = Callable[[asyncpg.Connection], Awaitable[AnswerT]]
_encode = msgspec.json.Encoder().encode


async def written(
    request: ApiRequest, work: Work[AnswerT], *, status: int = 200, kept: Callable[[AnswerT], AnswerT] | None = None
) -> Response[AnswerT]:
    """Do a write in one transaction in the asker's name, once per idempotency key.

    Args: status: of the answer. kept: what of the answer may be stored for a repetition (all of it when left out).
    Raises: Invalid when the key is too long or was used for another request.
    """
    key = idempotency_key(request)
    async with asked(request, write=True) as connection:
        if key and (earlier := await claim(connection, request, key)):
            return earlier_answer(earlier)
        answer = await work(connection)
        body = _encode(answer)
        if key:
            await connection.execute(query("idempotency_done"), key, status, _encode(kept(answer)) if kept else body)
    return Response(body, status_code=status, media_type="application/json")  # type: ignore[arg-type]


def idempotency_key(request: ApiRequest) -> str | None:
    """The key of a write, if it has one.

    Raises: Invalid when it is too long.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= MAX_KEY_CHARS:
        raise Invalid("Idempotency-Key", f"must be 1 to {MAX_KEY_CHARS} characters")
    return f"{request.user.name} {key}" if key else None


async def claim(connection: asyncpg.Connection, request: ApiRequest, key: str) -> asyncpg.Record | None:
    """Take a key for this request.

    Returns: None when it is ours now; else what the request that had it left there.
    Raises: Invalid when that was another request.
    """
    digest = sha256(b"\0".join([request.method.encode(), request.url.path.encode(), await request.body()])).digest()
    now = parts_of(request).wall.now()
    if await connection.fetchval(query("idempotency_claim"), key, digest, now):
        return None
    earlier = await connection.fetchrow(query("idempotency_answer"), key)
    if earlier is None:
        raise Conflict("the request that has this Idempotency-Key has not ended")
    if earlier["request_digest"] != digest:
        raise Invalid("Idempotency-Key", "was used for another request")
    return earlier


def earlier_answer(earlier: asyncpg.Record) -> Response[AnswerT]:
    """The answer that an earlier request with the same key got.

    Raises: Conflict while that one is still running.
    """
    if earlier["response"] is None:
        raise Conflict("the request that has this Idempotency-Key has not ended")
    media_type = "application/json" if earlier["status"] < 400 else PROBLEM_MEDIA_TYPE
    return Response(earlier["response"], status_code=earlier["status"], media_type=media_type)
