"""What did the meter sign in this session, and does it hold?

Signed readings are found in the session's frames and verified when somebody looks. The verdict is shown beside them; no
message was ever refused for it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import asyncpg
import msgspec
from litestar import get
from litestar.params import FromPath

from laddbok.api.pages import Page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.session_frames import read_event
from laddbok.api.timeline import subject_of
from laddbok.flow.changes import FrameRow
from laddbok.flow.messages import VERSION_OF_CODE
from laddbok.flow.proof import signed_readings
from laddbok.model.proof import Checked, SignatureVerdict, SignedReading
from laddbok.store.sql import query

MAX_FRAMES = 500
"""With signed readings in them, of one session; what comes later is not shown."""

Check = Callable[[SignedReading], Checked]


class SignedValueView(msgspec.Struct, kw_only=True):
    """A reading that the meter signed. `verdict`: valid, invalid, tampered or not_verifiable, and `why`.

    `text` is the OCMF text, null when what came is none. `public_key` came with the message, or null. `register_wh` and
    `energy_wh` are read out of the text, whatever the verdict.
    """

    received_at: datetime
    epoch: int
    seq: int
    verdict: SignatureVerdict
    why: str
    register_wh: int | None
    energy_wh: int | None
    public_key: str | None
    text: str | None


@get("/sessions/{session_id:str}/signed-values")
async def show_signed_values(request: ApiRequest, session_id: FromPath[str]) -> Page[SignedValueView]:
    """The signed readings of a session in their order, each verified now."""
    async with asked(request) as connection:
        frames = await signed_frames(connection, session_id)
    return Page(await verified(frames, parts_of(request).check_signed))


async def signed_frames(connection: asyncpg.Connection, session_id: str) -> list[FrameRow]:
    """The frames of a session that hold signed readings, in their order. Raises: NotFound."""
    subject = await subject_of(connection, session_id)
    found = [FrameRow(*row) for row in await connection.fetch(query("session_signed_frames"), subject.id, MAX_FRAMES)]
    events = ((frame, read_event(frame.raw, VERSION_OF_CODE[frame.protocol])) for frame in found)
    return [frame for frame, event in events if event is not None and subject.wire.concerns(event)]


async def verified(frames: list[FrameRow], check: Check) -> list[SignedValueView]:
    """What is signed in these frames with its verdict; in a thread, for it takes some milliseconds each."""
    return await asyncio.to_thread(_verified, frames, check)


def _verified(frames: list[FrameRow], check: Check) -> list[SignedValueView]:
    views = []
    for frame in frames:
        for reading in signed_readings([frame]):
            checked = check(reading)
            views.append(
                SignedValueView(
                    received_at=frame.received_at, epoch=reading.epoch, seq=reading.seq, verdict=checked.verdict,
                    why=checked.why, register_wh=reading.register_wh, energy_wh=reading.energy_wh,
                    public_key=reading.public_key, text=reading.text,
                )
            )  # fmt: skip
    return views
