"""How do our values become rows?

Every statement of a commit takes one JSON array of rows, so a commit costs one round trip per table and not per row.
Values that are kept whole (a session's body, a CDR, its rating) go in as they are.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from laddbok.flow.changes import (
    Attributed,
    BootSeen,
    CdrIssued,
    CommandMoved,
    CommandQueued,
    CurvePacked,
    Decision,
    FrameRow,
    Job,
    Orphan,
    OrphanMatched,
    OutletSeen,
    RangeClosed,
    TraitsLearned,
)
from laddbok.flow.store import Question
from laddbok.model.rated import LineKind
from laddbok.model.session import FramePosition, Session

_encoder = msgspec.json.Encoder(decimal_format="number")
FRAME_COLUMNS = FrameRow.__struct_fields__
UNITS = {
    LineKind.ENERGY: "Wh",
    LineKind.TIME: "s",
    LineKind.PARKING_TIME: "s",
    LineKind.IDLE: "s",
}


def as_json(rows: Iterable[Any]) -> str:
    """The rows as one JSON array."""
    return _encoder.encode(list(rows)).decode()


def frame_tuple(row: FrameRow) -> tuple[Any, ...]:
    """A frame in the order of its table's columns."""
    return msgspec.structs.astuple(row)


def session_rows(sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """The searchable columns of sessions, and the whole of each as its body."""
    return [
        {
            "tenant": s.tenant,
            "id": s.id,
            "station_no": s.station_no,
            "station": s.station,
            "site_id": s.site_id,
            "evse_id": s.evse_id,
            "connector_id": s.connector_id,
            "transaction_id": s.transaction_id,
            "id_token": s.id_token.value if s.id_token else None,
            "token": s.token,
            "contract_id": s.contract_id,
            "state": s.state,
            "version": s.version,
            "revision": s.revision,
            "start_key": s.start_key,
            "started_at": s.started_at,
            "ended_at": s.transaction_ended_at,
            "energy_wh": s.energy_wh,
            "review_reasons": s.review_reasons,
            "due_at": s.due_at,
            "body": s,
        }
        for s in sessions
    ]


def opening_rows(sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """Where sessions begin in their station's evidence."""
    return [position_row(s, s.opened, s.last_contact_at) for s in sessions]


def closing_rows(closed: Sequence[RangeClosed | Attributed]) -> list[dict[str, Any]]:
    """Where the evidence of sessions ends, or a frame that belongs to it besides."""
    return [position_row(c.session, c.session.through, c.at) for c in closed]


def position_row(session: Session, place: FramePosition, at: datetime) -> dict[str, Any]:
    """A session and a place in its station's evidence."""
    identity = {"tenant": session.tenant, "id": session.id, "station_no": session.station_no}
    return {**identity, "epoch": place.epoch, "seq": place.seq, "at": at}


def decision_rows(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """Decisions in their order."""
    return [{"n": n, **_fields(decision)} for n, decision in enumerate(decisions)]


def outlet_rows(outlets: Sequence[OutletSeen]) -> list[dict[str, Any]]:
    """The last word of each connector; of two, the later."""
    last = {(o.station_no, o.outlet.evse_id, o.outlet.connector_id): o for o in outlets}
    return [{"tenant": o.tenant, "station_no": o.station_no, **_fields(o.outlet)} for o in last.values()]


def cdr_rows(issued: Sequence[CdrIssued]) -> list[dict[str, Any]]:
    """CDRs with their prices."""
    return [
        {
            "tenant": c.session.tenant,
            "session_id": c.session.id,
            "revision": c.session.revision,
            "kind": c.kind,
            "issued_at": c.at,
            "energy_wh": _signed(c, c.cdr.energy_wh),
            "currency": c.rating.currency,
            "excl_vat": _signed(c, c.rating.excl_vat),
            "incl_vat": _signed(c, c.rating.incl_vat),
            "tariff_id": c.session.tariff.tariff_id if c.session.tariff else "",
            "tariff_version": c.session.tariff.version if c.session.tariff else 0,
            "document": c.cdr,
            "rating": c.rating,
        }
        for c in issued
    ]


def line_rows(issued: Sequence[CdrIssued]) -> list[dict[str, Any]]:
    """The rated lines of CDRs."""
    return [
        {
            "tenant": c.session.tenant,
            "session_id": c.session.id,
            "revision": c.session.revision,
            "kind": c.kind,
            "number": number,
            "dimension": line.kind,
            "quantity": _signed(c, line.quantity),
            "unit": UNITS.get(line.kind, "session"),
            "unit_price": line.price,
            "excl_vat": _signed(c, line.excl_vat),
            "vat_rate": line.vat_percent,
            "incl_vat": _signed(c, line.incl_vat),
        }
        for c in issued
        for number, line in enumerate(c.rating.lines, start=1)
    ]


def proof_rows(issued: Sequence[CdrIssued]) -> list[dict[str, Any]]:
    """What each CDR was made of, and the root over it."""
    return [
        {
            "tenant": c.session.tenant,
            "session_id": c.session.id,
            "revision": c.session.revision,
            "root": c.proof.root,
            "rules": c.proof.rules,
            "frames": [(place.epoch, place.seq) for place in c.proof.frames],
            "frame_count": len(c.proof.frames),
            "decision_count": c.proof.decisions,
        }
        for c in issued
        if c.proof is not None and c.kind == "cdr"
    ]


def _signed(issued: CdrIssued, amount: Any) -> Any:
    """A credit takes back what its CDR said."""
    return -amount if issued.kind == "credit" and amount is not None else amount


def plain_rows(
    values: Sequence[CurvePacked | BootSeen | Orphan | OrphanMatched | Job | Question],
) -> list[dict[str, Any]]:
    """Values whose fields are the columns."""
    return [{"n": n, **_fields(value)} for n, value in enumerate(values)]


def traits_rows(learned: Sequence[TraitsLearned]) -> list[dict[str, Any]]:
    """What was learned of stations."""
    return [{**_fields(each), "version": each.traits.version, "body": each.traits} for each in learned]


def queued_rows(queued: Sequence[CommandQueued]) -> list[dict[str, Any]]:
    """Commands of our own; the payload is JSON already."""
    return [{**_fields(each), "payload": msgspec.Raw(each.payload)} for each in queued]


def command_rows(moves: Sequence[CommandMoved]) -> list[dict[str, Any]]:
    """Commands that went out or ended; the answer is JSON already."""
    return [{**_fields(m), "answer": msgspec.Raw(m.answer) if m.answer is not None else None} for m in moves]


def _fields(value: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}
