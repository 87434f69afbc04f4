"""What do rows say?

The other way of `store.rows`: what the database answers becomes our values, for the flows. Bodies that are kept whole
are read whole; the rest is put together from columns.
"""

from collections.abc import Sequence

import asyncpg
import msgspec

from laddbok.flow.changes import CdrIssued, Decision, FrameRow
from laddbok.flow.store import Claim, Found
from laddbok.model.cdr import Cdr
from laddbok.model.events import AuthorizationStatus
from laddbok.model.rated import Rating
from laddbok.model.session import LastRegister, Session, TariffChoice
from laddbok.model.station import Outlet, Station, StationState
from laddbok.model.traits import Traits
from laddbok.sessions.authorize import TokenFacts
from laddbok.sessions.facts import StartFacts


def session_of(body: str) -> Session:
    """A session as it was stored whole."""
    return msgspec.json.decode(body, type=Session)


def newest_sessions(found: Sequence[asyncpg.Record]) -> dict[int, list[Session]]:
    """Each open session as it was last believed: its row moves with its state, the published one with its meter."""
    sessions: dict[int, list[Session]] = {}
    for row in found:
        session = session_of(row["body"])
        if row["live_body"] is not None:
            live = session_of(row["live_body"])
            session = live if live.version == session.version and live.through > session.through else session
        sessions.setdefault(row["station_no"], []).append(session)
    return sessions


def outlets_by_station(found: Sequence[asyncpg.Record]) -> dict[int, dict[tuple[int, int], Outlet]]:
    """What the outlets of many stations last said, by (EVSE, connector) of each."""
    outlets: dict[int, dict[tuple[int, int], Outlet]] = {}
    for row in found:
        outlet = Outlet(**{name: value for name, value in row.items() if name != "station_no"})
        outlets.setdefault(row["station_no"], {})[outlet.evse_id, outlet.connector_id] = outlet
    return outlets


def claim_of(
    row: asyncpg.Record,
    outlets: dict[int, dict[tuple[int, int], Outlet]],
    sessions: dict[int, list[Session]],
    frames: dict[int, list[FrameRow]],
) -> Claim:
    """A station taken over, with what belongs to it among the outlets, sessions and frames of all that were asked for."""
    number = row["station_no"]
    known = {name: row[name] for name in _STATION_COLUMNS if row[name] is not None}
    station = Station(**known, traits=traits_of(row["traits"]))
    in_order = sorted(sessions.get(number, ()), key=lambda session: session.opened)
    open_sessions = {session.transaction_id: session for session in in_order}  # of two with one id the later (S25)
    state = StationState(station=station, outlets=outlets.get(number, {}), sessions=open_sessions)
    return Claim(row["connection_epoch"], state, tuple(frames.get(number, ())))


_STATION_COLUMNS = (
    "station_no",
    "tenant",
    "identity",
    "site_id",
    "time_zone",
    "country",
    "protocol",
    "vendor",
    "model",
    "firmware_version",
    "booted_at",
)


def found_of(row: asyncpg.Record) -> Found:
    """The answer to one question."""
    token = tariff = None
    if row["status"] is not None:
        status = AuthorizationStatus(row["status"])
        token = TokenFacts(
            status=status,
            valid_to=row["valid_to"],
            contract_id=row["contract_id"],
            single_session=row["single_session"],
            charges_elsewhere=row["charges_elsewhere"],
            known_as=row["token"] if row["found_as"] else None,
            found_as=row["found_as"],
        )
    if row["tariff_id"] is not None:
        tariff = TariffChoice(row["tariff_id"], row["version"], row["scope"])
    facts = StartFacts(
        token=token,
        tariff=tariff,
        waits_for_unplug=bool(row["waits_for_unplug"]),
        seller_id=row["legal_entity_id"],
        max_power_w=row["max_power_w"],
        before=_before(row),
    )
    return Found(facts, session_of(row["session"]) if row["session"] else None, traits_of(row["traits"]))


def _before(row: asyncpg.Record) -> LastRegister | None:
    if row["before_wh"] is None:
        return None
    return LastRegister(row["before_id"], row["before_wh"], row["before_at"], row["before_was_stopped"])


def traits_of(body: str | None) -> Traits:
    """What is known of a station; nothing was stored: nothing is."""
    return msgspec.json.decode(body, type=Traits) if body else Traits()


def issued_of(session: Session, row: asyncpg.Record) -> CdrIssued:
    """A CDR with its price, as it was issued."""
    document = msgspec.json.decode(row["document"], type=Cdr)
    rating = msgspec.json.decode(row["rating"], type=Rating)
    return CdrIssued(session=session, cdr=document, rating=rating, at=row["issued_at"])


def decision_of(tenant: int, session_id: str, row: asyncpg.Record) -> Decision:
    """Something other than a frame on which a session depends."""
    return Decision(
        tenant=tenant,
        session_id=session_id,
        at=row["at"],
        kind=row["kind"],
        decided_by=row["decided_by"],
        body=msgspec.json.decode(row["body"]),
    )
