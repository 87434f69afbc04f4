"""How does a page stay live?

By one stream of server-sent events: changed sessions without their price, changed stations, and the counts; or one
session with its price.
"""

from litestar import get
from litestar.params import FromQuery
from litestar.response import Stream

from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.model.errors import NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.store.sql import query


@get("/events", media_type="text/event-stream")
async def stream_events(request: ApiRequest, session_id: FromQuery[str | None] = None) -> Stream:
    """Events `session`, `station` and `overview`, each at most every 2 s per object; `lagged` when the reader is slow."""
    wanted = normalise_session_id(session_id) if session_id else None
    if wanted is not None:
        async with asked(request) as connection:
            if await connection.fetchrow(query("session_subject"), wanted) is None:
                raise NotFound("session", str(session_id))
    live = parts_of(request).live
    stream = live.open(request.user.tenant, request.user.name, wanted)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(live.events(stream), media_type="text/event-stream", headers=headers)
