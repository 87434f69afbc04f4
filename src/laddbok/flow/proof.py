"""What is a CDR made of, and what is its root hash?

Everything that a CDR was made of is a row of items: the session, the frames that bear on it, the recorded decisions, the
tariff, the CDR and its rating. Each item has a leaf hash and all leaves have one root. Whoever changes one digit changes
the root; the root stands on the receipt. How to compute it elsewhere is told in docs/evidence-file.md, in short:

    canonical(item) = the item as JSON of RFC 8785 (keys sorted, no blanks; no number has a fraction)
    leaf            = SHA-256(0x00 "laddbok-evidence/1 " kind 0x0A canonical(item))
    node            = SHA-256(0x01 left right)       (the tree of RFC 9162 2.1.1 over the leaves in their order)

>>> leaves = [leaf("frame", {"seq": n}) for n in range(3)]
>>> root_of(leaves) == node(node(leaves[0], leaves[1]), leaves[2])
True
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from laddbok.flow.changes import Decision, FrameRow
from laddbok.flow.evidence import SUPERSEDED, Conclusion
from laddbok.flow.messages import VERSION_OF_CODE, Asked
from laddbok.flow.store import SessionEvidence
from laddbok.model.cdr import Cdr
from laddbok.model.events import MetersRead, TransactionEnded, TransactionStarted, TransactionUpdated
from laddbok.model.proof import Proof, SignedReading
from laddbok.model.rated import Rating
from laddbok.model.session import FramePosition, Session
from laddbok.model.tariff import decode_object
from laddbok.ocpp.frame import OcppVersion, encode_call
from laddbok.sessions.signed import energy_wh, register_wh, signed_text

FORMAT = "laddbok-evidence/1"
SIGNED_PREFIX = b"laddbok-evidence/1 root\n"
"""What is signed is this and the 32 bytes of the root."""
WITHHELD = "withheld"
DIRECTIONS = {b"i": "call", b"o": "our_call", b"r": "result"}
"""A call of the station, a question of ours, its answer to that."""
NOT_TOLD = frozenset({"state", "version", "due_at", "meter"})
"""Of a session: where it stands today, not what was used."""


class Items(msgspec.Struct, frozen=True, kw_only=True):
    """What a CDR was made of, as plain JSON values. Without a CDR (held, void, running) the last two are None."""

    head: dict[str, Any]
    session: dict[str, Any]
    frames: tuple[dict[str, Any], ...]
    decisions: tuple[dict[str, Any], ...]
    tariff: dict[str, Any] | None
    cdr: dict[str, Any] | None
    rating: dict[str, Any] | None

    def in_order(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """(kind, item), in the order of the leaves."""
        yield "head", self.head
        yield "session", self.session
        yield from (("frame", each) for each in self.frames)
        yield from (("decision", each) for each in self.decisions)
        for kind in ("tariff", "cdr", "rating"):
            if (item := getattr(self, kind)) is not None:
                yield kind, item


def prove(evidence: SessionEvidence, conclusion: Conclusion, document: Cdr, rating: Rating, rules: int) -> Proof:
    """The proof of a CDR that is being issued.

    Args: conclusion: of exactly this evidence, so that a later frame or decision is no part of it. rules: their version.
    Source: our choice, docs/rules.md "Proof".
    """
    items = items_of(evidence, conclusion, document, rating, rules)
    return Proof(
        root=root_of([leaf(kind, item) for kind, item in items.in_order()]).hex(),
        rules=rules,
        frames=tuple(FramePosition(each["epoch"], each["seq"]) for each in items.frames),
        decisions=len(evidence.decisions),
    )


def items_of(
    evidence: SessionEvidence, conclusion: Conclusion, document: Cdr | None, rating: Rating | None, rules: int
) -> Items:
    """Everything that a session, and its CDR if there is one, was made of; the session in the revision of the CDR.

    Frames of other sessions are left out. Of a start by which another session ended this one (case S63) only its
    instant is kept, and of the session before only where it left the register: who else came is nobody's business here.
    """
    gave_way = {_place(each.body["position"]) for each in evidence.decisions if each.kind == SUPERSEDED}
    session = conclusion.session if document is None else replace(conclusion.session, revision=document.revision)
    return Items(
        head={"format": FORMAT, "rules": rules},
        session=_of_nobody_else({name: value for name, value in plain(session).items() if name not in NOT_TOLD}),
        frames=tuple(_frame_item(each, gave_way) for each in conclusion.bearing),
        decisions=tuple(_decision_item(each) for each in evidence.decisions),
        tariff=_tariff_item(evidence, session),
        cdr=None if document is None else plain(document),
        rating=None if rating is None else plain(rating),
    )


def as_proven(evidence: SessionEvidence, proof: Proof, revision: int) -> SessionEvidence:
    """The evidence as it was when this revision was issued: without what came later."""
    used = frozenset(proof.frames)
    return replace(
        evidence,
        session=replace(evidence.session, revision=revision),
        frames=tuple(f for f in evidence.frames if FramePosition(f.connection_epoch, f.seq) in used),
        decisions=evidence.decisions[: proof.decisions],
    )


def canonical(value: Any) -> bytes:
    """Plain JSON values in the one way in which they are hashed. Source: RFC 8785."""
    return msgspec.json.encode(value, order="sorted")


def leaf(kind: str, item: dict[str, Any]) -> bytes:
    """The hash of one item. Source: RFC 9162 2.1.1 (0x00), our own prefix."""
    return sha256(b"\x00" + f"{FORMAT} {kind}\n".encode() + canonical(item)).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two hashes. Source: RFC 9162 2.1.1 (0x01)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over at least one leaf: neighbours are paired, an odd last one goes up as it is. Source: RFC 9162 2.1.1."""
    level = list(leaves)
    while len(level) > 1:
        paired = [node(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def signed_readings(frames: Iterable[FrameRow]) -> list[SignedReading]:
    """What meters signed in these frames, verbatim, with the registers read out of it and not yet verified.

    Source: OCPP 1.6 7.43 SampledValue (SignedData); OCPP 2.0.1 2.42 SignedMeterValueType.
    """
    found = []
    for frame in frames:
        event = Asked.of_row(frame).event
        if not isinstance(event, MetersRead | TransactionStarted | TransactionUpdated | TransactionEnded):
            continue
        for number, signed in enumerate(text for sample in event.samples for text in sample.signed):
            inside = signed_text(signed)
            found.append(
                SignedReading(
                    epoch=frame.connection_epoch,
                    seq=frame.seq,
                    number=number,
                    signed=signed,
                    text=inside.text,
                    public_key=inside.public_key,
                    register_wh=register_wh(signed),
                    energy_wh=energy_wh(signed),
                )
            )
    return found


def _frame_item(frame: FrameRow, gave_way: set[FramePosition]) -> dict[str, Any]:
    is_anothers = FramePosition(frame.connection_epoch, frame.seq) in gave_way
    raw, answer = (_instant_only(frame), None) if is_anothers else (frame.raw, frame.answer)
    item: dict[str, Any] = {
        "epoch": frame.connection_epoch,
        "seq": frame.seq,
        "received_at": msgspec.to_builtins(frame.received_at),
        "direction": DIRECTIONS[frame.direction],
        "protocol": VERSION_OF_CODE[frame.protocol].value,
        "message_id": WITHHELD if is_anothers else frame.message_id,
        "action": frame.action,
        "raw": b64encode(raw).decode(),
        "answer": None if answer is None else b64encode(answer).decode(),
    }
    return item | {WITHHELD: True} if is_anothers else item


def _decision_item(decision: Decision) -> dict[str, Any]:
    body = plain(decision.body)
    start = body.get("facts", {}).get("start")
    if start is not None:
        body["facts"]["start"] = _of_nobody_else(start)
    at = msgspec.to_builtins(decision.at)
    return {"at": at, "kind": decision.kind, "decided_by": decision.decided_by, "body": body}


def _of_nobody_else(fields: dict[str, Any]) -> dict[str, Any]:
    """What is known of the session before on the EVSE, without saying which it was."""
    if fields.get("before") is None:
        return fields
    return fields | {"before": fields["before"] | {"session_id": WITHHELD}}


def _instant_only(frame: FrameRow) -> bytes:
    """A start of the same protocol that tells nothing but its instant."""
    event = Asked.of_row(frame).event
    fields: dict[str, Any] = {} if event.at is None else {"timestamp": event.at.isoformat()}
    if VERSION_OF_CODE[frame.protocol] is OcppVersion.V16:
        fields |= {"connectorId": event.evse_id, "idTag": WITHHELD, "meterStart": 0}
        return encode_call(WITHHELD, "StartTransaction", canonical(fields))
    fields |= {"eventType": "Started", "seqNo": 0, "triggerReason": "Authorized", "evse": {"id": event.evse_id or 1}}
    fields["transactionInfo"] = {"transactionId": WITHHELD}
    return encode_call(WITHHELD, "TransactionEvent", canonical(fields))


def _tariff_item(evidence: SessionEvidence, session: Session) -> dict[str, Any] | None:
    """The tariff version with its document as it was posted; numbers with a fraction are texts of the same digits."""
    choice = session.tariff
    text = None if choice is None else evidence.tariff_documents.get((choice.tariff_id, choice.version))
    if text is None:
        return None
    document = decode_object(text.encode(), "tariff")
    item: dict[str, Any] = plain({"choice": session.tariff, "document": document})
    return item


def plain(value: Any) -> Any:
    """As plain JSON values: decimals and instants are texts, bytes are base64, and what is as ever is left out.

    A field is left out when it equals its default, so a field that is added later changes no root of before. (msgspec's
    own omission goes by identity, which differs between a value that was made here and one that was read.)
    """
    if isinstance(value, msgspec.Struct):
        named = ((field, getattr(value, field.name)) for field in _fields(type(value)))
        return {field.encode_name: plain(each) for field, each in named if each != field.default}
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return msgspec.to_builtins(value)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _place(position: Any) -> FramePosition:
    return msgspec.convert(position, FramePosition)
