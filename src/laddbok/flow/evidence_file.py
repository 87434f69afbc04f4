"""How does the proof of a bill stand in one file?

One JSON document in canonical form: the items that a CDR was made of (`flow.proof.Items`), what meters signed with the
verdict, the leaf hashes in their order, the root, and the tenant's signature under it. Nothing outside the file is
needed to check it, and no frame of another session is in it. docs/evidence-file.md describes each field.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from laddbok.flow.changes import Decision, FrameRow
from laddbok.flow.charge_to_cash import RULES_VERSION
from laddbok.flow.messages import VERSION_CODE
from laddbok.flow.proof import DIRECTIONS, FORMAT, Items, canonical, leaf, root_of
from laddbok.flow.store import SessionEvidence
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.proof import Checked, SignatureVerdict, SignedReading
from laddbok.model.rated import Rating
from laddbok.model.session import Session, TariffChoice
from laddbok.model.tariff import parse_tariff
from laddbok.ocpp.frame import OcppVersion

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_FRAMES = 100_000
MAX_DECISIONS = 10_000
MAX_SIGNED = 1_000
"""Signed readings that are looked at in one file; a session has a few."""
MAX_SPAN = timedelta(days=400)
"""Between the first frame of a session and the last."""
WHAT = "evidence file"
_DIRECTION_CODES = {name: code for code, name in DIRECTIONS.items()}


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What kind of file it is, and under which rules it was computed."""

    format: str
    rules: int


class FrameItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frame that bears on the session, with our answer. `withheld`: only its instant is told, it is another's."""

    epoch: int
    seq: int
    received_at: datetime
    direction: Literal["call", "our_call", "result"]
    protocol: OcppVersion
    message_id: str
    action: str
    raw: bytes
    answer: bytes | None
    withheld: bool = False


class DecisionItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something other than a frame on which the session depends."""

    at: datetime
    kind: str
    decided_by: str
    body: dict[str, Any]


class TariffItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The frozen tariff version and its document."""

    choice: TariffChoice
    document: dict[str, Any]


class SignedItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed reading and what the check of its signature gave when the file was written."""

    reading: SignedReading
    verdict: SignatureVerdict


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tenant's Ed25519 signature under the root, with the public key; both raw bytes."""

    key_id: str
    public_key: bytes
    value: bytes


class EvidenceFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    head: Head
    session: dict[str, Any]
    frames: tuple[FrameItem, ...]
    decisions: tuple[DecisionItem, ...]
    tariff: TariffItem | None
    cdr: Cdr | None
    rating: Rating | None
    signed: tuple[SignedItem, ...]
    leaves: tuple[str, ...]
    root: str
    signature: Signature | None


def leaves_of(items: Items) -> list[bytes]:
    """The leaf hashes of all items, in order."""
    return [leaf(kind, item) for kind, item in items.in_order()]


def write(items: Items, signed: Sequence[tuple[SignedReading, Checked]], signature: Signature | None) -> bytes:
    """The file's bytes. The same evidence gives the same bytes."""
    leaves = leaves_of(items)
    found = [SignedItem(reading=reading, verdict=c.verdict) for reading, c in signed]
    fields = msgspec.structs.asdict(items) | {
        "signed": found,
        "leaves": [each.hex() for each in leaves],
        "root": root_of(leaves).hex(),
        "signature": signature,
    }
    return canonical(msgspec.to_builtins(fields)) + b"\n"


def read(text: bytes) -> tuple[EvidenceFile, dict[str, Any]]:
    """The file, and the same as plain JSON values: what is hashed is what stands there, not what we make of it.

    Raises: Invalid when it is no evidence file, is too large, or was made under other rules.
    """
    if len(text) > MAX_FILE_BYTES:
        raise Invalid(WHAT, f"is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB")
    try:
        plain = msgspec.json.decode(text)
        head = plain["head"] if isinstance(plain, dict) and isinstance(plain.get("head"), dict) else {}
        if head.get("format") != FORMAT:
            raise Invalid(WHAT, f"does not begin as one: its head must say {FORMAT}")
        if head.get("rules") != RULES_VERSION:
            raise Invalid(
                WHAT, f"was made under rules {repr(head.get('rules'))[:40]}; this program has {RULES_VERSION}"
            )
        file = msgspec.json.decode(text, type=EvidenceFile)
        canonical(plain)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Invalid(WHAT, f"can't be read: {str(error)[:200]}") from None
    for name, most in (("frames", MAX_FRAMES), ("decisions", MAX_DECISIONS), ("signed", MAX_SIGNED)):
        if len(getattr(file, name)) > most:
            raise Invalid(WHAT, f"has more than {most:,} {name}")
    received = [frame.received_at for frame in file.frames]
    if any(at.tzinfo is None for at in received) or (received and max(received) - min(received) > MAX_SPAN):
        raise Invalid(WHAT, f"its frames don't lie within {MAX_SPAN.days} days")
    return file, plain


def items_in(plain: dict[str, Any]) -> Items:
    """The items as they stand in a file that was read."""
    return Items(
        head=plain["head"],
        session=plain["session"],
        frames=tuple(plain["frames"]),
        decisions=tuple(plain["decisions"]),
        tariff=plain["tariff"],
        cdr=plain["cdr"],
        rating=plain["rating"],
    )


def evidence_in(file: EvidenceFile) -> SessionEvidence:
    """What the session in the file is folded from.

    Raises: Invalid, msgspec.ValidationError or OverflowError when the file contradicts itself.
    """
    fields = file.session | {"state": "ended", "meter": {"mark_at": file.session["started_at"], "activity": "charging"}}
    session = msgspec.convert(fields, Session)
    tariffs = {}
    if file.tariff is not None:
        tariffs[file.tariff.choice.tariff_id, file.tariff.choice.version] = file.tariff.document
    return SessionEvidence(
        session=session,
        frames=tuple(_frame_row(each, session) for each in file.frames),
        decisions=tuple(
            Decision(tenant=session.tenant, session_id=session.id, at=d.at, kind=d.kind, decided_by=d.decided_by, body=d.body)
            for d in file.decisions
        ),
        tariffs={version: parse_tariff(document) for version, document in tariffs.items()},
        tariff_documents={version: canonical(document).decode() for version, document in tariffs.items()},
    )  # fmt: skip


def _frame_row(item: FrameItem, session: Session) -> FrameRow:
    return FrameRow(
        received_at=item.received_at,
        tenant=session.tenant,
        station_no=session.station_no,
        connection_epoch=item.epoch,
        seq=item.seq,
        direction=_DIRECTION_CODES[item.direction],
        protocol=VERSION_CODE[item.protocol],
        message_id=item.message_id,
        action=item.action,
        raw=item.raw,
        answer=item.answer,
    )
