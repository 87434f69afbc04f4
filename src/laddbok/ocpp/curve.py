"""How did power, energy, state of charge and currents run during a session?

The curves of a session are decoded from its frames, when somebody looks or to be packed. A point stands at the station's own
instant, or where there is none at the instant of receipt. Late points find their place, and what a stop tells once more
(`transactionData`) is the same point.

>>> from laddbok.ocpp import decode
>>> from laddbok.ocpp.frame import OcppVersion, parse
>>> raw = b'[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T12:00:00Z",'
>>> raw += b'"sampledValue":[{"value":"7.4","measurand":"Power.Active.Import","unit":"kW"}]}]}]'
>>> [(name, at.isoformat(), value) for name, at, value in readings(decode(parse(raw, OcppVersion.V16), OcppVersion.V16))]
[('power_w', '2026-01-01T12:00:00+00:00', 7400)]
"""

from collections.abc import Iterator
from datetime import datetime

from laddbok.model.events import MetersRead, Sample, TransactionEnded, TransactionStarted, TransactionUpdated

REGISTER = "register_wh"
_PLAIN_SERIES = (REGISTER, "power_w", "soc_pct", "offered_w")
_CURRENT_SERIES = ("current_l1_ma", "current_l2_ma", "current_l3_ma")


def readings(event: object) -> Iterator[tuple[str, datetime | None, int]]:
    """The readings in what a station told: (series, instant as stamped, value); none in what is no event with readings.

    Series: register_wh [Wh], power_w [W], soc_pct [%], offered_w [W], current_l1_ma .. current_l3_ma [mA].
    Source: our choice, design "Evidence".
    """
    if not isinstance(event, MetersRead | TransactionStarted | TransactionUpdated | TransactionEnded):
        return
    if isinstance(event, TransactionStarted | TransactionEnded) and event.register_wh is not None:
        yield REGISTER, event.at, event.register_wh
    for sample in event.samples:
        yield from _readings_of(sample)


def _readings_of(sample: Sample) -> Iterator[tuple[str, datetime | None, int]]:
    for name in _PLAIN_SERIES:
        value = getattr(sample, name)
        if value is not None:
            yield name, sample.at, value
    for name, current_ma in zip(_CURRENT_SERIES, sample.currents_ma or (), strict=False):
        yield name, sample.at, current_ma
