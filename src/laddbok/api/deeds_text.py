"""What did we do and decide, in plain words?

The answers on the wire in either direction, the commands that people gave, and the decisions that were recorded with a
session, each as one sentence in Swedish and in English.

>>> answered(b'[3,"1",{"idTagInfo":{"status":"Blocked"}}]', OcppVersion.V16, by_us=True).en
'We answered: blocked'
>>> deed("UnlockConnector").sv
'lås upp uttaget'
"""

from typing import Any

import msgspec

from laddbok.api.timeline_text import NOTHING, Text
from laddbok.api.verdict_text import decision_text
from laddbok.ocpp.frame import CallError, CallResult, OcppVersion, parse

_STATUS = {
    "Accepted": Text("godkänt", "accepted"),
    "Blocked": Text("spärrat", "blocked"),
    "Expired": Text("utgånget", "expired"),
    "Invalid": Text("okänt", "unknown"),
    "ConcurrentTx": Text("laddar redan någon annanstans", "charges elsewhere already"),
    "Rejected": Text("nej", "no"),
    "Unlocked": Text("upplåst", "unlocked"),
    "UnlockFailed": Text("det gick inte att låsa upp", "unlocking failed"),
    "NotSupported": Text("det kan stationen inte", "the station can't do that"),
    "Scheduled": Text("ja, så snart det går", "yes, as soon as it can"),
    "Pending": Text("vänta", "wait"),
}
_DEEDS = {
    "RemoteStartTransaction": Text("starta en laddning", "start a charge"),
    "RequestStartTransaction": Text("starta en laddning", "start a charge"),
    "RemoteStopTransaction": Text("stoppa laddningen", "stop the charge"),
    "RequestStopTransaction": Text("stoppa laddningen", "stop the charge"),
    "UnlockConnector": Text("lås upp uttaget", "unlock the connector"),
    "Reset": Text("starta om", "restart"),
    "ChangeAvailability": Text("ändra om uttaget är i drift", "change whether the outlet is in service"),
    "TriggerMessage": Text("skicka ett meddelande", "send a message"),
    "GetConfiguration": Text("läs upp inställningar", "tell its settings"),
    "ChangeConfiguration": Text("ändra en inställning", "change a setting"),
    "GetVariables": Text("läs upp inställningar", "tell its settings"),
    "SetVariables": Text("ändra inställningar", "change settings"),
    "GetCompositeSchedule": Text("berätta sin laddplan", "tell its charging plan"),
    "GetTransactionStatus": Text("berätta om en laddning pågår", "tell whether a transaction goes on"),
    "SetChargingProfile": Text("följ en laddplan", "follow a charging plan"),
    "ClearChargingProfile": Text("glöm en laddplan", "forget a charging plan"),
}
_OUTCOMES = {
    "queued": Text("väntar på att skickas", "waits to be sent"),
    "sent": Text("väntar på svar", "waits for the answer"),
    "not_connected": Text("stationen var inte ansluten", "the station was not connected"),
    "timed_out": Text("inget svar i tid", "no answer in time"),
    "unknown": Text("förbindelsen bröts, utgången är okänd", "the connection broke, the outcome is unknown"),
}


def answered(raw: bytes, version: OcppVersion, *, by_us: bool) -> Text:
    """What was answered to a call; nothing to say of an answer without a verdict.

    Args: by_us: else the station answered us.
    """
    frame = parse(raw, version)
    who = Text("Vi svarade: ", "We answered: ") if by_us else Text("Stationen svarade: ", "The station answered: ")
    if isinstance(frame, CallError):
        why = f"{frame.code} {frame.description}".strip()
        return who + Text(f"fel, {why}", f"error, {why}")
    if not isinstance(frame, CallResult):
        return NOTHING
    status = _verdict(_object(frame.payload))
    if status is None:
        return NOTHING if by_us else who + Text("klart", "done")
    return who + verdict_text(status)


def verdict_text(status: str) -> Text:
    """An answer's verdict in words; one that nobody knows as it was given."""
    return _STATUS.get(status) or Text(status, status)


def deed(action: str) -> Text:
    """What a command asks a station to do."""
    return _DEEDS.get(action) or Text(action, action)


def commanded(action: str, requested_by: str, body: dict[str, Any]) -> Text:
    """A command with who gave it and what came of it. `body`: status and answer."""
    who = requested_by
    text = Text(f"{who} bad stationen: ", f"{who} asked the station: ") + deed(action)
    status, answer = body.get("status", ""), body.get("answer") or {}
    match status:
        case "answered":
            outcome = verdict_text(str(_verdict(answer) or "Accepted"))
        case "error":
            outcome = Text(f"fel, {answer.get('code')}", f"error, {answer.get('code')}")
        case _:
            outcome = _OUTCOMES.get(status) or Text(status, status)
    return text + Text(" (", " (") + outcome + Text(")", ")")


def decided(kind: str, decided_by: str, body: dict[str, Any]) -> Text:
    """A decision that was recorded with a session."""
    match kind:
        case "facts":
            return _facts(body.get("facts", {}).get("start", {}))
        case "closed_softly":
            return Text(
                "Inget stopp kom: sessionen avslutades vid sin sista avläsning",
                "No stop came: the session was closed at its last reading",
            )
        case "superseded":
            return Text(
                "En ny laddning började på samma uttag: sessionens eget stopp hade inte kommit",
                "Another charge began on the same EVSE: the session's own stop had not come",
            )
        case "correction_held":
            return Text(
                "Sena meddelanden ändrar sessionen; en människa måste se på det",
                "Late messages change the session; a person must look at it",
            )
        case "settled":
            return _settled(body)
        case "matched":
            return _matched(decided_by, str(body.get("reason") or ""))
        case "verdict":
            return decision_text(decided_by, body.get("verdict", {}))
        case _:
            return Text(f"Beslut av {decided_by}: {kind}", f"Decision by {decided_by}: {kind}")


_SETTLED = {
    "settled": Text("Sessionen är klar och CDR utfärdad", "The session is settled and its CDR issued"),
    "review": Text("Sessionen väntar på en människa", "The session is held for a person"),
    "void": Text("Sessionen debiteras inte", "The session is not billed"),
}


def _settled(body: dict[str, Any]) -> Text:
    state = str(body.get("state"))
    text = _SETTLED.get(state) or Text(f"Sessionen är {state}", f"The session is {state}")
    reasons = ", ".join(map(str, body.get("reasons") or [])) if state == "review" else ""
    return text + Text(f" ({reasons})", f" ({reasons})") if reasons else text


def _matched(decided_by: str, reason: str) -> Text:
    """That a message belongs here though it did not say so: found by us, or by a person with a reason."""
    if decided_by == "laddbok":
        return Text(
            "Ett meddelande utan transaktion hör hit: det passar ingen annanstans",
            "A message without a transaction belongs here: it fits nowhere else",
        )
    return Text(
        f"{decided_by} förde ett herrelöst meddelande hit. Skäl: {reason}",
        f"{decided_by} matched an orphan to this session. Reason: {reason}",
    )


def _facts(start: dict[str, Any]) -> Text:
    token, tariff = start.get("token"), start.get("tariff")
    known = token.get("status", "Invalid") if token else "Invalid"
    if token and known == "Accepted" and token.get("charges_elsewhere"):
        known = "ConcurrentTx"
    text = Text("Kortet slogs upp: ", "The id token was looked up: ") + verdict_text(str(known))
    if token and token.get("known_as"):
        text += _other_form(str(token.get("found_as")), str(token["known_as"]))
    if tariff:
        name = f"{tariff['tariff_id']}, version {tariff['version']}"
        return text + Text(f". Prislista {name}", f". Tariff {name}")
    return text + Text(". Ingen prislista gällde", ". No tariff applied")


def _other_form(found_as: str, token: str) -> Text:
    if found_as == "reversed":
        return Text(f" (läst baklänges, det är {token})", f" (read backwards, it is {token})")
    return Text(f" (ett annat namn för {token})", f" (another name of {token})")


def _verdict(payload: dict[str, Any]) -> str | None:
    for holder in (payload.get("idTagInfo"), payload.get("idTokenInfo"), payload):
        if isinstance(holder, dict) and isinstance(holder.get("status"), str):
            return str(holder["status"])
    return None


def _object(payload: msgspec.Raw) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
