"""What did the station tell us, in plain words?

Each event, answer, decision and command becomes one sentence in Swedish and in English, so that somebody with a driver
on the phone can read aloud what happened. The station's own word stands beside ours where there is none of ours.

>>> from laddbok.model.events import StatusReported
>>> told(StatusReported(evse_id=1, connector_id=1, status="Preparing", at=None)).en
'Plugged in, not charging yet'
"""

from collections.abc import Callable
from typing import Any

import msgspec

from laddbok.model.events import (
    AuthorizeAsked,
    Booted,
    ChargingState,
    DataTransferred,
    Event,
    HeartbeatSent,
    MetersRead,
    Noted,
    Sample,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
    TransactionUpdated,
)


class Text(msgspec.Struct, frozen=True):
    """One sentence in both languages."""

    sv: str
    en: str

    def __add__(self, other: "Text") -> "Text":
        return Text(self.sv + other.sv, self.en + other.en)


NOTHING = Text("", "")

_STATUS = {
    "Available": Text("Ledig", "Free"),
    "Preparing": Text("Inkopplad, laddar inte än", "Plugged in, not charging yet"),
    "Occupied": Text("Inkopplad", "Plugged in"),
    "Charging": Text("Laddar", "Charging"),
    "SuspendedEV": Text("Bilen tar ingen ström just nu", "The vehicle takes no power at the moment"),
    "SuspendedEVSE": Text("Stationen håller tillbaka laddningen", "The station holds the charge back"),
    "Finishing": Text("Laddningen är klar, kabeln sitter kvar", "The charge is over, the cable is still in"),
    "Reserved": Text("Reserverad", "Reserved"),
    "Unavailable": Text("Ur drift", "Out of service"),
    "Faulted": Text("Fel på uttaget", "The outlet has a fault"),
}
_CHARGING_STATE = {
    ChargingState.CHARGING: _STATUS["Charging"],
    ChargingState.EV_CONNECTED: Text("Bilen är inkopplad", "The vehicle is connected"),
    ChargingState.SUSPENDED_EV: _STATUS["SuspendedEV"],
    ChargingState.SUSPENDED_EVSE: _STATUS["SuspendedEVSE"],
    ChargingState.IDLE: Text("Ingen bil inkopplad", "No vehicle connected"),
}
_REASON = {
    "Local": Text("stoppad vid stationen", "stopped at the station"),
    "Remote": Text("stoppad härifrån", "stopped from here"),
    "EVDisconnected": Text("kabeln drogs ur", "the cable was pulled out"),
    "EmergencyStop": Text("nödstopp", "emergency stop"),
    "PowerLoss": Text("strömavbrott", "power loss"),
    "Reboot": Text("stationen startade om", "the station restarted"),
    "HardReset": Text("stationen startades om", "the station was restarted"),
    "SoftReset": Text("stationen startades om", "the station was restarted"),
    "ImmediateReset": Text("stationen startades om", "the station was restarted"),
    "UnlockCommand": Text("uttaget låstes upp", "the connector was unlocked"),
    "DeAuthorized": Text("kortet godkändes inte", "the id token was not accepted"),
    "StoppedByEV": Text("bilen avslutade", "the vehicle stopped"),
    "Timeout": Text("bilen kopplades inte in i tid", "the vehicle was not connected in time"),
}


def told(event: Event, begin_wh: int | None = None) -> Text:
    """What the station told, as a sentence.

    Args: begin_wh: the register at the session's begin [Wh]; with it, energy is told as so far in the session.
    """
    return _TOLD[type(event)](event, begin_wh)


def status_text(status: str) -> Text:
    """A connector's status in words; one that nobody knows in the station's own."""
    return _STATUS.get(status) or Text(f"Status {status}", f"Status {status}")


def readings_text(sample: Sample, begin_wh: int | None) -> Text:
    """What a meter showed: energy, power, state of charge."""
    sv: list[str] = []
    en: list[str] = []
    if sample.register_wh is not None:
        in_session = begin_wh is not None and sample.register_wh >= begin_wh
        kwh = (sample.register_wh - (begin_wh or 0 if in_session else 0)) / 1000
        sv.append(f"{_swedish(kwh, 2)} kWh" + (" hittills" if in_session else " på mätaren"))
        en.append(f"{kwh:.2f} kWh" + (" so far" if in_session else " on the meter"))
    if sample.power_w is not None:
        sv.append(f"{_swedish(sample.power_w / 1000, 1)} kW")
        en.append(f"{sample.power_w / 1000:.1f} kW")
    if sample.soc_pct is not None:
        sv.append(f"batteriet {sample.soc_pct} %")
        en.append(f"battery {sample.soc_pct} %")
    return Text(", ".join(sv), ", ".join(en))


def _swedish(number: float, decimals: int) -> str:
    return f"{number:.{decimals}f}".replace(".", ",")


def _booted(event: Booted, _: int | None) -> Text:
    name = f"{event.vendor} {event.model}".strip()
    firmware = f", firmware {event.firmware_version}" if event.firmware_version else ""
    return Text(f"Stationen startade: {name}{firmware}", f"The station started: {name}{firmware}")


def _status_reported(event: StatusReported, _: int | None) -> Text:
    text = status_text(event.status)
    if event.evse_id == 0:
        text = Text("Hela stationen: ", "The whole station: ") + text
    if event.error_code and event.error_code != "NoError":
        detail = ", ".join(filter(None, [event.error_code, event.vendor_error_code, event.info]))
        text += Text(f" ({detail})", f" ({detail})")
    return text


def _authorize_asked(event: AuthorizeAsked, _: int | None) -> Text:
    token = event.id_token.value
    return Text(f"Föraren visade {token}", f"The driver presented {token}")


def _started(event: TransactionStarted, _: int | None) -> Text:
    text = Text("Laddningen startade", "The charge started")
    if event.id_token is not None:
        text += Text(f" med {event.id_token.value}", f" with {event.id_token.value}")
    register_wh = event.register_wh
    if register_wh is not None:
        text += Text(
            f", mätaren på {_swedish(register_wh / 1000, 2)} kWh", f", the meter at {register_wh / 1000:.2f} kWh"
        )
    return text + _offline(event.offline) + _state(event.charging_state)


def _updated(event: TransactionUpdated, begin_wh: int | None) -> Text:
    parts: list[Text] = []
    if event.id_token is not None:
        parts.append(Text(f"Föraren visade {event.id_token.value}", f"The driver presented {event.id_token.value}"))
    if event.trigger in ("ChargingStateChanged", "CablePluggedIn", "EVDetected") and event.charging_state is not None:
        parts.append(_CHARGING_STATE[event.charging_state])
    if event.samples:
        parts.append(_meter(event.samples, begin_wh))
    if not parts:
        trigger = event.trigger or "?"
        parts.append(Text(f"Laddningen fortgår ({trigger})", f"The charge goes on ({trigger})"))
    return Text(". ".join(part.sv for part in parts), ". ".join(part.en for part in parts)) + _offline(event.offline)


def _meters_read(event: MetersRead, begin_wh: int | None) -> Text:
    return _meter(event.samples, begin_wh)


def _meter(samples: tuple[Sample, ...], begin_wh: int | None) -> Text:
    text = readings_text(samples[-1], begin_wh) if samples else NOTHING
    if not text.en:
        return Text("Stationen rapporterar mätvärden", "The station reports meter values")
    return Text("Stationen rapporterar ", "The station reports ") + text


def _ended(event: TransactionEnded, begin_wh: int | None) -> Text:
    text = Text("Laddningen avslutades", "The charge ended")
    if event.reason:
        text += Text(": ", ": ") + (_REASON.get(event.reason) or Text(event.reason, event.reason))
    if event.register_wh is not None:
        text += Text("; ", "; ") + readings_text(Sample(at=None, register_wh=event.register_wh), begin_wh)
    return text + _offline(event.offline)


def _data_transferred(event: DataTransferred, _: int | None) -> Text:
    name = "/".join(filter(None, [event.vendor_id, event.message_id]))
    return Text(f"Tillverkarens eget meddelande {name}", f"The vendor's own message {name}")


def _noted(event: Noted, _: int | None) -> Text:
    summary = f": {event.summary}" if event.summary else ""
    return Text(f"Stationen meddelar {event.action}{summary}", f"The station notes {event.action}{summary}")


def _heartbeat(_event: HeartbeatSent, _: int | None) -> Text:
    return Text("Livstecken", "A sign of life")


def _state(state: ChargingState | None) -> Text:
    return Text(". ", ". ") + _CHARGING_STATE[state] if state is not None else NOTHING


def _offline(is_offline: bool) -> Text:
    return Text(" (medan stationen var frånkopplad)", " (while the station was offline)") if is_offline else NOTHING


_TOLD: dict[type, Callable[[Any, int | None], Text]] = {
    Booted: _booted,
    HeartbeatSent: _heartbeat,
    StatusReported: _status_reported,
    AuthorizeAsked: _authorize_asked,
    TransactionStarted: _started,
    TransactionUpdated: _updated,
    MetersRead: _meters_read,
    TransactionEnded: _ended,
    DataTransferred: _data_transferred,
    Noted: _noted,
}
