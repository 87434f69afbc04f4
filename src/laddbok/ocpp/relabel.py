"""What if a station counts kWh and calls them Wh?

Some models do (case S38). For them, and only for them, a call is read as if its energies were labelled rightly: before
it is decoded the label is put right, so that every digit that the station sent counts. The frame stays as it came.

>>> payload = b'{"connectorId":1,"meterStart":361,"idTag":"A"}'
>>> bytes(relabelled(Call("1", "StartTransaction", msgspec.Raw(payload))).payload)
b'{"connectorId":1,"meterStart":361000,"idTag":"A"}'
"""

from decimal import Decimal
from typing import Any

import msgspec

from laddbok.ocpp.frame import Call
from laddbok.ocpp.repair import repair

ENERGY_BEGINS = "energy.active."
_PLAIN_REGISTERS = ("meterStart", "meterStop")
_WH = frozenset({"wh"})
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def relabelled(call: Call) -> Call:
    """The call with its energies in kWh labelled so. One that can't be read stays as it is: the decoder says why.

    Source: our choice, docs/rules.md "Known models"; OCPP 1.6 7.43 SampledValue, 2.0.1 2.53 UnitOfMeasureType; case S38.
    """
    try:
        payload = _decoder.decode(repair(bytes(call.payload)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return call
    if not isinstance(payload, dict):
        return call
    for name in _PLAIN_REGISTERS:
        if isinstance(payload.get(name), int | Decimal) and not isinstance(payload[name], bool):
            payload[name] = payload[name] * 1000
    for meter_value in _lists(payload, "meterValue", "transactionData"):
        for item in _lists(meter_value, "sampledValue"):
            _put_right(item)
    return Call(call.message_id, call.action, msgspec.Raw(_encoder.encode(payload)))


def _lists(holder: Any, *names: str) -> list[Any]:
    found = [holder.get(name) for name in names] if isinstance(holder, dict) else []
    return [item for items in found if isinstance(items, list) for item in items]


def _put_right(item: Any) -> None:
    """The unit of one sampled value; the default of OCPP is Wh too."""
    if not isinstance(item, dict):
        return
    measurand = item.get("measurand") or ENERGY_BEGINS
    if not isinstance(measurand, str) or not measurand.strip().lower().startswith(ENERGY_BEGINS):
        return
    unit_of_measure = item.get("unitOfMeasure")
    if isinstance(unit_of_measure, dict):
        if str(unit_of_measure.get("unit") or "Wh").strip().lower() in _WH:
            unit_of_measure["unit"] = "kWh"
    elif str(item.get("unit") or "Wh").strip().lower() in _WH:
        if isinstance(item.get("value"), str):
            item["unit"] = "kWh"
        else:
            item["unitOfMeasure"] = {"unit": "kWh"}
