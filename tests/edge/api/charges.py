"""Charges as a gateway would have stored them: sessions with their evidence."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from laddbok.model.cdr import Activity, ChargingPeriod
from laddbok.model.events import IdToken
from laddbok.model.ids import session_id
from laddbok.model.session import FramePosition, Meter, Session, SessionState, TariffChoice
from laddbok.ocpp.frame import OcppVersion
from tests.edge.api.conftest import NOW, RunningApi

BEGIN_WH = 100_000
TARIFF = {
    "id": "plain", "currency": "SEK", "tax_included": "NO",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "3.20", "vat": "25", "step_size": 1}]}],
}  # fmt: skip


def running(number: int, *, token: str = "04A2FF", started_at: datetime = NOW, energy_wh: int = 5_000) -> Session:
    """A session that has run for an hour on the first outlet of LB-1, with its meter at so many Wh."""
    ends_at = started_at + timedelta(hours=1)
    period = ChargingPeriod(start_at=started_at, end_at=ends_at, activity=Activity.CHARGING, energy_wh=energy_wh)
    return Session(
        id=session_id(1, number, 0), tenant=1, station_no=1, station="LB-1", evse_id=1, connector_id=1, protocol="ocpp1.6",
        transaction_id=str(number), state=SessionState.ACTIVE, site_id="torget", time_zone="Europe/Stockholm",
        id_token=IdToken(token), token=token, tariff=TariffChoice("plain", 1), opened=FramePosition(1, number * 10),
        through=FramePosition(1, number * 10 + 9), started_at=started_at, last_contact_at=ends_at,
        meter=Meter(
            mark_at=ends_at, activity=Activity.CHARGING, begin_wh=BEGIN_WH, mark_wh=BEGIN_WH + energy_wh, power_w=7_400,
            open_period=period,
        ),
    )  # fmt: skip


def store(house: RunningApi, session: Session, **columns: Any) -> str:
    """Put a session, and the stretch of evidence that it is folded from, where a gateway would. Returns: its id."""
    row: dict[str, Any] = {
        "tenant": 1, "id": session.id, "origin": "station", "station_no": 1, "station": session.station,
        "site_id": session.site_id, "evse_id": session.evse_id, "connector_id": session.connector_id,
        "transaction_id": session.transaction_id, "id_token": session.id_token.value if session.id_token else None,
        "token": session.token, "state": session.state.value, "version": session.version,
        "started_at": session.started_at, "ended_at": session.transaction_ended_at, "energy_wh": session.energy_wh,
        "review_reasons": list(session.review_reasons), "body": msgspec.json.encode(session).decode(),
    } | columns  # fmt: skip
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    house.sql(f"INSERT INTO session ({', '.join(row)}) VALUES ({places})", *row.values())
    house.sql(
        "INSERT INTO session_range (tenant, session_id, number, station_no, from_epoch, from_seq, to_epoch, to_seq, from_at)"
        " VALUES (1, $1, 1, 1, $2, $3, $4, $5, $6)",
        session.id, session.opened.epoch, session.opened.seq, session.through.epoch, session.through.seq, session.started_at,
    )  # fmt: skip
    return session.id


def say(
    house: RunningApi, session: Session, seq: int, action: str, payload: dict[str, Any], answer: dict[str, Any] | None = None,
    direction: str = "i",
) -> None:  # fmt: skip
    """One frame of the session's stretch, with our answer."""
    raw: list[Any] = [3, str(seq), payload] if direction == "r" else [2, str(seq), action, payload]
    house.sql(
        "INSERT INTO frame VALUES ($1, 1, 1, $2, $3, $4, $5, $6, $7, $8, $9)",
        session.started_at + timedelta(seconds=seq), session.opened.epoch, session.opened.seq + seq, direction.encode(),
        b"6" if session.protocol == OcppVersion.V16 else b"2", str(seq), action, msgspec.json.encode(raw),
        msgspec.json.encode([3, str(seq), answer]) if answer is not None else None,
    )  # fmt: skip


def metered(at: datetime, register_wh: int, power_w: int) -> dict[str, Any]:
    """One meter value of OCPP 1.6."""
    return {
        "timestamp": at.isoformat(),
        "sampledValue": [
            {"value": str(register_wh), "unit": "Wh"},
            {"value": str(power_w), "measurand": "Power.Active.Import", "unit": "W"},
        ],
    }
