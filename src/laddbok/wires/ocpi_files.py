"""What does this OCPI CDR cost under this OCPI tariff?

Two files in, one priced answer out, by the same rating that prices our own sessions. A site's time zone comes from the
caller, else from the document, else from the country where that has only one; a tariff that depends on local time is
refused without. Broken input is refused with the field that is wrong, and never priced.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.rated import Finding, FindingCode, LineKind, RatedLine, Rating
from laddbok.model.tariff import Tariff, decode_object, parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.explain import LANGUAGES
from laddbok.rating.explain import explain as text_of
from laddbok.rating.rate import rate
from laddbok.wires.country_zones import zone_of
from laddbok.wires.ocpi_cdr import ForeignCdr, read_cdr

MAX_FILE_BYTES = 10_000_000
VERSIONS = ("2.2.1", "2.3.0")

_COST_NAMES = {
    "total_fixed_cost": LineKind.FLAT,
    "total_energy_cost": LineKind.ENERGY,
    "total_time_cost": LineKind.TIME,
    "total_parking_cost": LineKind.PARKING_TIME,
    "total_idle_cost": LineKind.IDLE,
}
_UNITS = {
    LineKind.ENERGY: ("Wh", "kWh"),
    LineKind.TIME: ("s", "h"),
    LineKind.PARKING_TIME: ("s", "h"),
    LineKind.IDLE: ("s", "min"),
}


def rate_files(
    tariff_path: Path,
    cdr_path: Path,
    version: str | None = None,
    time_zone: str | None = None,
    explain: bool = False,
) -> dict[str, Any]:
    """Price the CDR in one file with the tariff in another.

    Args: version, "2.2.1" or "2.3.0", None: as the tariff shows; time_zone, the site's IANA zone, None: as the CDR
        shows; explain, whether every line explains itself in English and Swedish.
    Returns: `currency, total_cost {excl_vat, incl_vat}`, a cost per dimension, `lines, findings`; amounts are decimal
        strings or None.
    Raises: Invalid for input that can't be priced.
    """
    tariff = parse_tariff(object_in(tariff_path))
    _check_version(tariff, version)
    found = read_cdr(object_in(cdr_path))
    if found.currency != tariff.currency:
        raise Invalid("currency", f"the CDR is in {found.currency}, the tariff in {tariff.currency}")
    zone = time_zone or found.time_zone or (zone_of(found.country) if found.country else None)
    cdr = msgspec.structs.replace(found.cdr, time_zone=zone or "UTC")
    rating = rate(cdr, compile_tariff(tariff, zone), energy_known=found.energy_known)
    return _answer(tariff, found, zone, rating, explain)


def object_in(path: Path) -> dict[str, Any]:
    """The JSON object in a file, out of the envelope of an OCPI response if it is in one."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Invalid(str(path), f"can't be read: {error.strerror}") from None
    if len(text) >= MAX_FILE_BYTES:
        raise Invalid(str(path), f"is {MAX_FILE_BYTES // 1_000_000} MB or more")
    found = decode_object(text.removeprefix(b"\xef\xbb\xbf"), str(path))
    data = found.get("data")
    return data if "status_code" in found and isinstance(data, dict) else found


def _check_version(tariff: Tariff, version: str | None) -> None:
    if version is not None and version not in VERSIONS:
        raise Invalid("version", f"{version!r} is neither of {', '.join(VERSIONS)}")
    if version == "2.3.0" and tariff.version != version:
        raise Invalid("tax_included", "is missing: OCPI 2.3.0 requires it")
    if version == "2.2.1" and tariff.version != version:
        raise Invalid("tax_included", "is not a field of OCPI 2.2.1")


def _answer(tariff: Tariff, found: ForeignCdr, zone: str | None, rating: Rating, explain: bool) -> dict[str, Any]:
    sign = -1 if found.is_credit else 1
    return {
        "tariff_id": tariff.id,
        "cdr_id": found.cdr.session_id,
        "ocpi": tariff.version,
        "time_zone": zone,
        "currency": rating.currency,
        "total_cost": {"excl_vat": _text(rating.excl_vat, sign), "incl_vat": _text(rating.incl_vat, sign)},
        **{name: _cost_of(kind, rating) for name, kind in _COST_NAMES.items()},
        "lines": [_line(line, rating.currency, explain) for line in rating.lines],
        "findings": [
            msgspec.to_builtins(finding)
            for finding in (*_out_of_force(tariff, found.cdr), *found.findings, *rating.findings)
        ],
    }


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


def _cost_of(kind: LineKind, rating: Rating) -> dict[str, str | None] | None:
    """The sum of the lines of a dimension, None where it was not priced."""
    lines = [line for line in rating.lines if line.kind is kind]
    if not lines:
        return None
    excl_vat = [line.excl_vat for line in lines if line.excl_vat is not None]
    incl_vat = [line.incl_vat for line in lines if line.incl_vat is not None]
    return {
        "excl_vat": _text(sum(excl_vat, Decimal(0)) if excl_vat else None),
        "incl_vat": _text(sum(incl_vat, Decimal(0)) if incl_vat else None),
    }


def _line(line: RatedLine, currency: str, explain: bool) -> dict[str, Any]:
    quantity_unit, price_unit = _UNITS.get(line.kind, ("", "session"))
    answer: dict[str, Any] = {
        "kind": line.kind.value,
        "quantity": line.quantity,
        "measured": line.measured,
        "quantity_unit": quantity_unit,
        "price": _text(line.price),
        "price_per": price_unit,
        "vat_percent": _text(line.vat_percent),
        "excl_vat": _text(line.excl_vat),
        "incl_vat": _text(line.incl_vat),
        "start_at": line.start_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end_at": line.end_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "element": line.element,
        "estimated": line.estimated,
    }
    if explain:
        answer["text"] = {language: text_of(line, currency, language) for language in LANGUAGES}
    return answer


def _text(number: Decimal | None, sign: int = 1) -> str | None:
    return None if number is None else f"{number * sign if number else number:f}"
