"""What did a person decide about a session, and why, in plain words?

>>> decision_text("Anna", {"kind": "correct", "reason": "the display showed it", "energy_wh": 5000}).en
'Anna corrected the session: energy 5.00 kWh. Reason: the display showed it'
>>> decision_text("Anna", {"kind": "void", "reason": "test"}).sv
'Anna makulerade laddningen. Skäl: test'
"""

from datetime import datetime
from typing import Any

from laddbok.api.timeline_text import Text

_DEEDS = {
    "accept": Text("godkände förslaget", "accepted the proposal"),
    "correct": Text("rättade laddningen", "corrected the session"),
    "void": Text("makulerade laddningen", "voided the session"),
    "reopen": Text("öppnade granskningen igen", "reopened the review"),
}


def decision_text(decided_by: str, verdict: dict[str, Any]) -> Text:
    """A decision as one sentence: who, what, the values that they set, and their reason."""
    kind = str(verdict.get("kind"))
    text = Text(f"{decided_by} ", f"{decided_by} ") + (_DEEDS.get(kind) or Text(kind, kind))
    said = _values(verdict)
    if said:
        text += Text(": " + ", ".join(each.sv for each in said), ": " + ", ".join(each.en for each in said))
    reason = verdict.get("reason", "")
    return text + Text(f". Skäl: {reason}", f". Reason: {reason}")


def _values(verdict: dict[str, Any]) -> list[Text]:
    said: list[Text] = []
    energy_wh, tariff = verdict.get("energy_wh"), verdict.get("tariff")
    if energy_wh is not None:
        kwh = f"{energy_wh / 1000:.2f}"
        said.append(Text(f"energi {kwh.replace('.', ',')} kWh", f"energy {kwh} kWh"))
    for name, word in (("started_at", Text("början", "begin")), ("ended_at", Text("slut", "end"))):
        if verdict.get(name):
            at = f" {datetime.fromisoformat(verdict[name]):%Y-%m-%d %H:%M:%S} UTC"
            said.append(word + Text(at, at))
    if verdict.get("token"):
        said.append(Text(f"bricka {verdict['token']}", f"id token {verdict['token']}"))
    if verdict.get("contract_id"):
        said.append(Text(f"avtal {verdict['contract_id']}", f"contract {verdict['contract_id']}"))
    if tariff:
        said.append(
            Text(
                f"prislista {tariff['tariff_id']}, version {tariff['version']}",
                f"tariff {tariff['tariff_id']}, version {tariff['version']}",
            )
        )
    return said
