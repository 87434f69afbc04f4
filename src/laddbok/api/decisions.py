"""What does a person decide about a session?

Accept the engine's proposal, correct it, void the session, or ask to see it once more. A decision is a row of evidence and
a job for the worker, in one transaction; the worker settles the session anew. Whoever decides names the version of the
session that they saw: if it has moved since, or somebody else was faster, nothing is written.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec
from litestar import Response, post
from litestar.params import FromPath, JSONBody

from laddbok.api.parts import ApiRequest, parts_of
from laddbok.api.sessions import aware
from laddbok.api.writes import IdempotencyKey, written
from laddbok.flow.store import Question
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.model.session import OPEN_STATES, Session, SessionState, TariffChoice, Verdict, VerdictKind
from laddbok.sessions.authorize import MAX_TOKEN_LENGTH, normalise_token
from laddbok.sessions.review import checked, proposed_wh
from laddbok.store.rows import as_json, plain_rows
from laddbok.store.sql import query
from laddbok.store.values import found_of, session_of

ACCEPTED = 202
BY_PERSON = "person"
"""The scope of a tariff that a person chose for one session."""
_CORRECTIONS = ("energy_wh", "started_at", "ended_at", "id_token", "tariff_id")


class NewDecision(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A decision. `version` is that of the session that the person saw. Only a correction may change anything else.

    A corrected token brings the contract and tariff that it had at the session's start; `tariff_id` chooses another.
    """

    kind: VerdictKind
    reason: str
    version: Annotated[int, msgspec.Meta(ge=1)]
    energy_wh: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    id_token: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TOKEN_LENGTH)] | None = None
    tariff_id: str | None = None


class Decided(msgspec.Struct):
    """A decision that was recorded; the worker carries it out. `look_at` shows the session as it will be."""

    session_id: str
    number: int
    version: int
    look_at: str


@dataclass(frozen=True)
class Held:
    """The session that a decision is about, as it is stored."""

    session: Session
    state: SessionState
    version: int
    last_number: int
    """Of the decisions about it; 0: none."""


@post("/sessions/{session_id:str}/decisions", status_code=ACCEPTED)
async def decide(
    request: ApiRequest, session_id: FromPath[str], data: JSONBody[NewDecision], idempotency_key: IdempotencyKey = None
) -> Response[Decided]:
    """Accept, correct, void or reopen a session; a worker settles it anew."""

    async def work(connection: asyncpg.Connection) -> Decided:
        held = await _held(connection, session_id)
        _check_may(data, held)
        await _check_alone(connection, held)
        now = parts_of(request).clock.now()
        verdict = checked(await _verdict(connection, data, held.session, now), held.session)
        return await _record(connection, request, held, verdict, now)

    return await written(request, work, status=ACCEPTED)


async def _held(connection: asyncpg.Connection, text: str) -> Held:
    row = await connection.fetchrow(query("decision_subject"), normalise_session_id(text))
    if row is None:
        raise NotFound("session", text)
    if row["origin"] != "station":
        raise Conflict(f"session {row['id']} is imported history, which is never billed")
    return Held(session_of(row["body"]), SessionState(row["state"]), row["version"], row["last_number"])


def _check_may(data: NewDecision, held: Held) -> None:
    """Raises: Conflict when the session is not as the person saw it, or no such decision fits its state."""
    name, state = f"session {held.session.id}", held.state
    if state in OPEN_STATES:
        raise Conflict(f"{name} is {state.value}: it can be decided once it is settled, held or void")
    if data.version != held.version:
        raise _moved(held.session, f": it is version {held.version} now, you saw {data.version}")
    if data.kind is VerdictKind.ACCEPT and state is not SessionState.REVIEW:
        raise Conflict(f"{name} is {state.value}: only a session in review can be accepted")
    if data.kind is VerdictKind.VOID and state is SessionState.VOID:
        raise Conflict(f"{name} is void already")
    if data.kind is not VerdictKind.CORRECT:
        changed = next((field for field in _CORRECTIONS if getattr(data, field) is not None), None)
        if changed:
            raise Invalid(changed, f"only a correction can change it, not {data.kind.value}")


def _moved(session: Session, more: str = "") -> Conflict:
    return Conflict(f"session {session.id} has moved since you saw it{more}")


async def _check_alone(connection: asyncpg.Connection, held: Held) -> None:
    """Raises: Conflict while an earlier decision about the same version waits for the worker."""
    earlier = await connection.fetchrow(query("decisions_pending"), [held.session.id])
    if earlier is not None:
        raise Conflict(
            f"{earlier['decided_by']} has just decided about session {held.session.id} ({earlier['kind']});"
            " wait until that is carried out"
        )


async def _verdict(connection: asyncpg.Connection, data: NewDecision, session: Session, now: datetime) -> Verdict:
    """The decision as the engine keeps it: token, contract and tariff version looked up at the session's start."""
    reason = data.reason.strip()
    if data.kind is VerdictKind.ACCEPT:
        _check_acceptable(session)
        return Verdict(kind=data.kind, reason=reason, energy_wh=proposed_wh(session))
    if data.kind is not VerdictKind.CORRECT:
        return Verdict(kind=data.kind, reason=reason)
    started_at, ended_at = _past(data.started_at, "started_at", now), _past(data.ended_at, "ended_at", now)
    token = None if data.id_token is None else normalise_token(data.id_token)
    at = started_at or session.started_at
    contract_id, tariff = await _terms(connection, session, data.tariff_id, token, at)
    return Verdict(
        kind=data.kind, reason=reason, energy_wh=data.energy_wh, started_at=started_at, ended_at=ended_at, token=token,
        contract_id=contract_id, tariff=tariff if tariff != session.tariff else None,
    )  # fmt: skip


def _check_acceptable(session: Session) -> None:
    """Raises: Invalid when the proposal lacks what nobody can bill without."""
    if proposed_wh(session) is None:
        raise Invalid("energy_wh", "no energy was found that could be accepted: correct it, or void the session")
    if session.tariff is None:
        raise Invalid("tariff_id", "no tariff applied at its start: correct it with one, or void the session")


def _past(instant: datetime | None, field: str, now: datetime) -> datetime | None:
    if instant is None:
        return None
    instant = aware(instant, field)
    if instant > now:
        raise Invalid(field, "lies in the future")
    return instant


async def _terms(
    connection: asyncpg.Connection, session: Session, tariff_id: str | None, token: str | None, at: datetime
) -> tuple[str | None, TariffChoice | None]:
    """Contract and tariff of a correction, by the same rules as at a start; None: as they are.

    A tariff that a person chose, now or earlier, goes before that of contract, station, site and default.
    Raises: Invalid when nobody registered the token, or no version of the tariff held at `at`.
    """
    if token is None and at == session.started_at:
        return None, await _version(connection, tariff_id, at) if tariff_id else None
    question = Question(
        tenant=session.tenant,
        station_no=session.station_no,
        evse_id=session.evse_id,
        token=token or session.token,
        at=at,
    )
    row = await connection.fetchrow(query("look_up"), as_json(plain_rows([question])))
    assert row is not None
    facts = found_of(row).facts
    if token is not None and facts.token is None:
        raise Invalid("id_token", "is not registered: add it first, with its contract")
    if session.tariff is not None and session.tariff.scope == BY_PERSON:
        tariff_id = tariff_id or session.tariff.tariff_id
    tariff = await _version(connection, tariff_id, at) if tariff_id else facts.tariff
    return facts.token.contract_id if facts.token else None, tariff


async def _version(connection: asyncpg.Connection, tariff_id: str, at: datetime) -> TariffChoice:
    """The version of a tariff that held at an instant. Raises: Invalid when none did."""
    row = await connection.fetchrow(query("tariff_version_at"), tariff_id, at)
    if row is None or row["first_from"] is None:
        raise Invalid("tariff_id", f"there is no tariff {tariff_id!r}")
    when = f"at the session's start, {at:%Y-%m-%d %H:%M}Z"
    if row["version"] is None:
        raise Invalid("tariff_id", f"no version held {when}: the first one begins {row['first_from']:%Y-%m-%d %H:%M}Z")
    if row["valid_to"] is not None and row["valid_to"] <= at:
        raise Invalid("tariff_id", f"had ended {when}")
    return TariffChoice(tariff_id, row["version"], BY_PERSON)


async def _record(
    connection: asyncpg.Connection, request: ApiRequest, held: Held, verdict: Verdict, now: datetime
) -> Decided:
    """Write the decision and the work that follows from it. Raises: Conflict when somebody decides at the same moment."""
    session = held.session
    body = msgspec.json.encode({"verdict": verdict, "seen_version": held.version}).decode()
    subject = session.id, now, request.user.name, body, held.last_number + 1, held.version
    try:
        number = await connection.fetchval(query("decision_add"), *subject)
    except asyncpg.UniqueViolationError as error:
        raise Conflict(f"somebody else decides about session {session.id} at this moment") from error
    if number is None:
        raise _moved(session)
    job = {"tenant": session.tenant, "kind": "settle", "key": session.id, "due_at": now}
    await connection.execute(query("add_jobs"), as_json([job]))
    return Decided(session.id, number, held.version, f"/api/v1/sessions/{session.id}")
