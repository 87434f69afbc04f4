"""How is a price told to whoever asked about an OCPI CDR?

One JSON object: what was priced and how it was read, the total, a cost per dimension, each line, and what a person should
know. Amounts are decimal strings. Those of a credit CDR are all negative; quantities and prices stay as they are.
"""

from decimal import Decimal
from typing import Any

import msgspec

from laddbok.model.cdr import Cdr
from laddbok.model.rated import UNITS, Finding, FindingCode, LineKind, PriceParts, RatedLine, Rating
from laddbok.model.tariff import Tariff
from laddbok.rating.explain import LANGUAGES
from laddbok.rating.explain import explain as text_of
from laddbok.wires.ocpi_cdr import ForeignCdr

_COST_NAMES = {
    "total_fixed_cost": (LineKind.FLAT,),
    "total_energy_cost": (LineKind.ENERGY,),
    "total_time_cost": (LineKind.TIME,),
    "total_parking_cost": (LineKind.PARKING_TIME,),
    "total_reservation_cost": (LineKind.RESERVATION_FLAT, LineKind.RESERVATION_TIME),
    "total_idle_cost": (LineKind.IDLE,),
}


def answer(tariff: Tariff, found: ForeignCdr, zone: str | None, rating: Rating, explain: bool) -> dict[str, Any]:
    """The price of a CDR, as JSON.

    Args: zone, the time zone that was used, None: none was needed; explain, whether each line has its `text`.
    Source: docs/commands.md "laddbok rate"; the names of the costs: OCPI 2.3.0 mod_cdrs, CDR object.
    """
    sign = -1 if found.is_credit else 1
    return {
        "tariff_id": tariff.id,
        "cdr_id": found.cdr.session_id,
        "ocpi": tariff.version,
        "time_zone": zone,
        "currency": rating.currency,
        "credit": found.is_credit,
        "total_cost": {"excl_vat": _amount(rating.excl_vat, sign), "incl_vat": _amount(rating.incl_vat, sign)},
        **{name: _cost_of(kinds, rating, sign) for name, kinds in _COST_NAMES.items()},
        "lines": [_line(line, tariff, sign, explain) for line in rating.lines],
        "findings": [
            msgspec.to_builtins(finding)
            for finding in (*_out_of_force(tariff, found.cdr), *found.findings, *rating.findings)
        ],
    }


def _cost_of(kinds: tuple[LineKind, ...], rating: Rating, sign: int) -> dict[str, str | None] | None:
    """The sum of the lines of a dimension, None where it was not priced; a side is None while one of its lines is."""
    lines = [line for line in rating.lines if line.kind in kinds]
    if not lines:
        return None
    return {
        "excl_vat": _amount(_sum([line.excl_vat for line in lines]), sign),
        "incl_vat": _amount(_sum([line.incl_vat for line in lines]), sign),
    }


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None


def _line(line: RatedLine, tariff: Tariff, sign: int, explain: bool) -> dict[str, Any]:
    quantity_unit, price_unit = UNITS.get(line.kind, ("", "session"))
    told: dict[str, Any] = {
        "kind": line.kind.value,
        "quantity": line.quantity,
        "measured": line.measured,
        "quantity_unit": quantity_unit,
        "price": _text(line.price),
        "price_per": price_unit,
        "vat_percent": _text(line.vat_percent),
        "excl_vat": _amount(line.excl_vat, sign),
        "incl_vat": _amount(line.incl_vat, sign),
        "start_at": line.start_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end_at": line.end_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "element": line.element,
        "tier": line.tier,
        "estimated": line.estimated,
        "pending": line.pending,
        "parts": _parts(line.parts),
    }
    if explain:
        told["text"] = {language: text_of(line, tariff.currency, language, tariff) for language in LANGUAGES}
    return told


def _parts(parts: PriceParts | None) -> dict[str, str | None] | None:
    """What a spot price per kWh is made of, None for any other price."""
    if parts is None:
        return None
    prices = {name: _text(getattr(parts, name)) for name in ("spot", "markup", "grid", "energy_tax")}
    return {**prices, "source": parts.source}


def _out_of_force(tariff: Tariff, cdr: Cdr) -> list[Finding]:
    """A tariff that did not hold when the session started is priced all the same: who asks has chosen it."""
    begins_at, ends_at = tariff.start_date_time, tariff.end_date_time
    found = []
    if begins_at is not None and cdr.started_at < begins_at:
        found.append(_not_in_force("start_date_time", f"begins at {begins_at:%Y-%m-%dT%H:%M:%SZ}, after", cdr))
    if ends_at is not None and cdr.started_at >= ends_at:
        found.append(_not_in_force("end_date_time", f"ended at {ends_at:%Y-%m-%dT%H:%M:%SZ}, not after", cdr))
    return found


def _not_in_force(field: str, what: str, cdr: Cdr) -> Finding:
    text = f"the tariff {what} the start of the session at {cdr.started_at:%Y-%m-%dT%H:%M:%SZ}: it did not hold then"
    return Finding(FindingCode.TARIFF_NOT_IN_FORCE, field, text)


def _amount(amount: Decimal | None, sign: int) -> str | None:
    """An amount, negated for a credit; nothing stays 0.00, and is never -0.00."""
    return _text(amount * sign if amount else amount)


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
