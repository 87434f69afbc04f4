"""What did the meter sign?

A calibrated meter signs its readings as a text of OCMF, "OCMF|{payload}|{signature}". This reads the energy registers
out of such a text; it verifies nothing (see `wires.ocmf`) and never refuses: what can't be read is None. Stations wrap
the text in several ways, and all of them are understood: as it is, as base64 or hex, or as the object of OCPP 2.0.1.

>>> begin = '{"TX":"B","RV":1.25,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}'
>>> end = '{"TX":"E","RV":1.3755,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}'
>>> text = 'OCMF|{"RD":[' + begin + "," + end + ']}|{"SD":"00"}'
>>> register_wh(text), energy_wh(text)
(1376, 126)
"""

import re
from base64 import b64decode
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import msgspec

MAX_TEXT = 65_536
"""Characters of a signed value; a longer one is kept as evidence and not read."""
MAX_READINGS = 1_000
MAX_REGISTER_WH = 10**15

_MARK = "OCMF|"
_IMPORT = re.compile(r"0?1-(?:0?0|b):(?:0?1\.0?8|B[0-3]\.0?8)\.([0-9a-f]{1,2})", re.IGNORECASE)
_TOTAL = frozenset({"0", "00", "e"})
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_FACTORS = {"wh": 1, "kwh": 1000}
_GOOD = "G"
_BEGIN = "B"


class SignedText(msgspec.Struct, frozen=True):
    """A signed value without its wrapping. `public_key` as it came with it, else None; `text` is None when it is no OCMF."""

    text: str | None
    public_key: str | None = None


class _Wrapped(msgspec.Struct, frozen=True, rename="camel"):
    """Source: OCPP 2.0.1 2.42 SignedMeterValueType."""

    signed_meter_data: str
    public_key: str | None = None


class _Reading(msgspec.Struct, frozen=True):
    """Source: OCMF 1.0, Readings. What is left out is that of the reading before."""

    value: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"null"), name="RV")
    register: str | None = msgspec.field(default=None, name="RI")
    unit: str | None = msgspec.field(default=None, name="RU")
    transaction: str | None = msgspec.field(default=None, name="TX")
    state: str | None = msgspec.field(default=None, name="ST")
    error: str | None = msgspec.field(default=None, name="EF")


class _Payload(msgspec.Struct, frozen=True):
    readings: tuple[_Reading, ...] = msgspec.field(default=(), name="RD")


def signed_text(signed: str) -> SignedText:
    """The OCMF text inside a signed value, and the public key that came with it.

    Args: signed: one of `model.events.Sample.signed`, verbatim from the station.
    Source: OCPP 2.0.1 2.42 SignedMeterValueType; OCPP 1.6 SampledValue with format SignedData; OCMF 1.0.
    """
    if len(signed) > MAX_TEXT:
        return SignedText(None)
    if signed.lstrip().startswith("{"):
        try:
            wrapped = msgspec.json.decode(signed, type=_Wrapped)
        except (msgspec.MsgspecError, UnicodeError):
            return SignedText(None)
        return SignedText(_plain(wrapped.signed_meter_data), wrapped.public_key or None)
    return SignedText(_plain(signed))


def register_wh(signed: str) -> int | None:
    """The last good reading of an import register in it [Wh]; None when there is none. Not verified.

    Args: signed: an OCMF text, or a signed value that wraps one.
    Source: OCMF 1.0 (RV, RI, RU, ST, EF); OBIS 1.8.x; rounding: our choice.
    """
    registers = _registers(signed)
    return registers[-1][1] if registers else None


def energy_wh(signed: str) -> int | None:
    """The energy from the begin of the transaction to the last reading, if one text has both [Wh]. Not verified.

    Source: OCMF 1.0 (TX B: begin).
    """
    registers = _registers(signed)
    if len(registers) < 2 or registers[0][0] != _BEGIN or registers[-1][0] == _BEGIN:
        return None
    return registers[-1][1] - registers[0][1]


def _registers(signed: str) -> list[tuple[str, int]]:
    """(TX, Wh) of the good readings of one import register: of the total, if there is one."""
    text = signed_text(signed).text
    if text is None:
        return []
    by_register: dict[str, list[tuple[str, int]]] = {}
    for name, transaction, wh in _import_readings(text):
        by_register.setdefault(name, []).append((transaction, wh))
    total = next((name for name in by_register if _is_total(name)), None)
    return by_register[total] if total else next(iter(by_register.values()), [])


def _import_readings(text: str) -> Iterator[tuple[str, str, int]]:
    payload = text.split("|", 2)[1]
    try:
        readings = msgspec.json.decode(payload, type=_Payload).readings
    except (msgspec.MsgspecError, UnicodeError):
        return
    before = _Reading(transaction="", state=_GOOD, error="")
    for each in readings[:MAX_READINGS]:
        before = _Reading(
            value=each.value,
            register=before.register if each.register is None else each.register,
            unit=before.unit if each.unit is None else each.unit,
            transaction=before.transaction if each.transaction is None else each.transaction,
            state=before.state if each.state is None else each.state,
            error=before.error if each.error is None else each.error,
        )
        wh = _wh(before)
        if wh is not None and before.register is not None:
            yield before.register, before.transaction or "", wh


def _wh(reading: _Reading) -> int | None:
    """Of a good import reading, rounded half up as every other register. Flag E: the meter itself doubts the energy."""
    factor = _FACTORS.get((reading.unit or "").strip().lower())
    is_import = _IMPORT.match((reading.register or "").strip()) is not None
    if factor is None or not is_import or reading.state != _GOOD or "E" in (reading.error or ""):
        return None
    written = bytes(reading.value)[:64].decode("ascii", "replace").strip('"').strip()
    if not _NUMBER.fullmatch(written):
        return None
    amount = Decimal(written) * factor
    if amount.adjusted() > 15 or amount > MAX_REGISTER_WH:
        return None
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def _is_total(register: str) -> bool:
    matched = _IMPORT.match(register.strip())
    return matched is not None and matched[1].lower() in _TOTAL


def _plain(written: str) -> str | None:
    """The text itself, whether it was written as text, as base64 or as hex."""
    written = written.strip()
    if written.startswith(_MARK):
        return written
    for decode in (bytes.fromhex, _from_base64):
        try:
            text = decode(written).decode().strip()
        except ValueError:
            continue
        if text.startswith(_MARK):
            return text
    return None


def _from_base64(written: str) -> bytes:
    return b64decode("".join(written.split()), validate=True)
