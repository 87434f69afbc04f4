"""What does a payload say, and is ours fit to be sent?

A payload from a station is decoded by the fast decoder of its action. Only when that fails is it read leniently: the
text is repaired, and what does not fit its field is mended (a number sent as text, an int sent as 1.0) or dropped.
What is then still missing and needed is an `Unfit`. A payload of ours must fit its schema exactly.

>>> from laddbok.ocpp.messages.v16_in import MeterValuesRequest
>>> decoder = msgspec.json.Decoder(MeterValuesRequest)
>>> read(msgspec.Raw(b'{"connectorId":"1","transactionId":,"meterValue":"none"}'), decoder)
MeterValuesRequest(connector_id=1, transaction_id=None, meter_value=None)
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from laddbok.model.errors import Invalid
from laddbok.ocpp.frame import ErrorCode
from laddbok.ocpp.messages.base import Received, Sent
from laddbok.ocpp.repair import repair

MAX_EVSE_ID = 9_999
"""No station has more outlets; one in the field claimed 1,850,027,108 (S46)."""
MAX_INTEGER_DIGITS = 18
MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader agrees about; no meter, counter or id of a station is above."""
MAX_WORD_CHARS = 255
"""Of an id token, a transaction id, a status: what is longer is none of ours to look up."""
MAX_SUMMARY_CHARS = 200

_untyped = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
_SENT_MISFIT = re.compile(r"^(?P<reason>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD_NAMED = re.compile(r"^Object (?:missing required|contains unknown) field `([^`]*)`$")

Fit = Callable[[Any], Any]
ReceivedT = TypeVar("ReceivedT", bound=Received)


class Unfit(Exception):
    """A payload that can't be understood; never leaves this package."""

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def read(payload: msgspec.Raw, decoder: msgspec.json.Decoder[ReceivedT]) -> ReceivedT:
    """The message in a payload, read as leniently as it needs.

    Raises: Unfit when it is no JSON object.
    Source: our choice; field cases S41, S44, S45, S46.
    """
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_leniently(bytes(payload), decoder.type)


def _read_leniently(text: bytes, kind: type[ReceivedT]) -> ReceivedT:
    try:
        value = _untyped.decode(repair(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, InvalidOperation) as error:
        raise Unfit(ErrorCode.FORMAT_VIOLATION, str(error)) from error
    if not isinstance(value, dict):
        raise Unfit(ErrorCode.FORMAT_VIOLATION, "the payload is no object")
    return msgspec.convert(_fit_of_message(kind)(value), kind)


@cache
def _fit_of_message(kind: type[Received]) -> Fit:
    return _fit_of(inspect.type_info(kind))


def _fit_of(kind: inspect.Type) -> Fit:
    """How a value becomes what its field wants; it gives None, which every field may be, when there is no way.

    Composed once for each type: a mended message may have thousands of values, and is read in the event loop.
    """
    match kind:
        case inspect.UnionType():
            return _fit_of(next(each for each in kind.types if not isinstance(each, inspect.NoneType)))
        case inspect.StructType():
            return _struct_fit(kind)
        case inspect.ListType():
            return _list_fit(kind)
        case inspect.BoolType():
            return _fit_bool
        case inspect.StrType():
            return _fit_text
        case inspect.IntType():
            return _fit_whole
        case inspect.DecimalType():
            return _fit_exact
    assert isinstance(kind, inspect.AnyType | inspect.CustomType), kind
    return lambda value: value


def _struct_fit(kind: inspect.StructType) -> Fit:
    fits = [(each.encode_name, _fit_of(each.type)) for each in kind.fields]

    def fit(value: Any) -> Any:
        return {name: fit(value[name]) for name, fit in fits if name in value} if isinstance(value, dict) else None

    return fit


def _list_fit(kind: inspect.ListType) -> Fit:
    fit_item = _fit_of(kind.item_type)

    def fit(value: Any) -> Any:
        if isinstance(value, dict):
            value = [value]
        return [item for item in map(fit_item, value) if item is not None] if isinstance(value, list) else None

    return fit


def _fit_bool(value: object) -> object:
    if isinstance(value, str):
        return _BOOLS.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _fit_text(value: object) -> object:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _fit_whole(value: object) -> object:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return whole_number(value) if isinstance(value, str | Decimal) else None


def _fit_exact(value: object) -> object:
    return exact(str(value)) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None


_BOOLS = {"true": True, "false": False}


def exact(text: str) -> Decimal | None:
    """The number that a station wrote, padding tolerated; None when it is none."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and number.adjusted() < MAX_INTEGER_DIGITS else None


def whole_number(value: str | Decimal) -> int | None:
    """The number rounded half up, None when it is none or absurdly large."""
    number = exact(str(value))
    return None if number is None else int(number.quantize(Decimal(1), ROUND_HALF_UP))


def needed_word(value: str | None, name: str) -> str:
    """A text that an event can't do without. Raises: Unfit when it is missing or absurdly long."""
    if not value:
        raise Unfit(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, f"{name} is missing")
    if len(value) > MAX_WORD_CHARS:
        raise Unfit(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"{name} is longer than {MAX_WORD_CHARS} characters")
    return value


def sane(value: int | None) -> int | None:
    """A number that an event can do without; None when it is absurdly large (S46)."""
    return value if value is not None and abs(value) <= MAX_INTEGER else None


def needed_id(value: int | None, name: str) -> int:
    """The number of an EVSE or connector. Raises: Unfit when it is missing or absurd (S46)."""
    if value is None:
        raise Unfit(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, f"{name} is missing")
    if not 0 <= value <= MAX_EVSE_ID:
        raise Unfit(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"{name} {value} is not in 0..{MAX_EVSE_ID}")
    return value


def parse_instant(text: str | None) -> datetime | None:
    """The instant that a station wrote, aware UTC; without a zone it is taken as UTC; None when it is none.

    Source: RFC 3339 5.6; a missing zone as UTC is our choice (field case L#2032).

    >>> parse_instant("2023-04-15T11:04:45.659+02:00").isoformat()
    '2023-04-15T09:04:45.659000+00:00'
    >>> parse_instant("2026-08-04T13:35:45.377").isoformat(), parse_instant("yesterday")
    ('2026-08-04T13:35:45.377000+00:00', None)
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return _parse_odd_instant(text)
    if at.tzinfo is UTC:
        return at
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return None


def _parse_odd_instant(text: str) -> datetime | None:
    plain = text.strip().upper()
    return parse_instant(plain) if plain != text else None


def instant_text(at: datetime) -> str:
    """An instant as stations read it: RFC 3339 in UTC with milliseconds. Args: at: aware UTC."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def summary_of(message: Received) -> str:
    """One line for people about a message that we only keep: its plain fields, and how long its lists are."""
    parts = []
    for name, key in zip(message.__struct_fields__, message.__struct_encode_fields__, strict=True):
        value = getattr(message, name)
        if isinstance(value, list):
            parts.append(f"{key} x{len(value)}")
        elif isinstance(value, str | int | Decimal):
            parts.append(f"{key} {value}")
    return ", ".join(parts)[:MAX_SUMMARY_CHARS]


def encode(message: Sent) -> bytes:
    """The JSON of a message of ours."""
    return _encoder.encode(message)


def checked(payload: Mapping[str, object], kind: type[Sent]) -> bytes:
    """The JSON of a payload that somebody asks us to send.

    Args: payload: decoded JSON. kind: the strict type of its action.
    Raises: Invalid, naming the field.
    """
    try:
        return encode(msgspec.convert(payload, kind))
    except msgspec.ValidationError as error:
        misfit = _SENT_MISFIT.match(str(error))
        assert misfit is not None
        named = _FIELD_NAMED.match(misfit["reason"])
        field = ".".join(part for part in (misfit["path"], named and named[1]) if part)
        raise Invalid(field or "payload", misfit["reason"]) from error
