"""What does `laddbok tariff check` say of a tariff in a file?"""

from pathlib import Path
from typing import Any

from laddbok.model.clock import SystemClock
from laddbok.model.tariff import parse_tariff
from laddbok.model.tariff_finding import Severity, TariffFinding
from laddbok.rating.price_list import price_list
from laddbok.rating.tariff_check import check
from laddbok.wires.ocpi_files import object_in

_MARKS = {Severity.REFUSED: "x", Severity.WARNING: "!"}


def check_file(
    path: Path, ad_hoc: bool, power_w: int | None, language: str, as_json: bool
) -> tuple[dict[str, Any], int]:
    """Print what is wrong in a tariff, and its prices as people are shown them.

    Args: ad_hoc, whatever its type says; power_w, of the strongest EVSE, None: not known.
    Returns: the same as an object, and the exit code: 1 when something is refused.
    Raises: Invalid for a file that holds no tariff.
    """
    tariff = parse_tariff(object_in(path))
    found = check(tariff, ad_hoc=ad_hoc or None, max_power_w=power_w, today=SystemClock().now().date())
    prices, refused = price_list(tariff), any(each.severity is Severity.REFUSED for each in found)
    if not as_json:
        for price in prices:
            print(f"  {getattr(price, language)}")
        for each in found:
            print(f"{_MARKS[each.severity]} {each.path}: {getattr(each, language)}")
    told = {
        "tariff_id": tariff.id,
        "refused": refused,
        "findings": [_told(each) for each in found],
        "prices": [{"path": price.path, "text": {"sv": price.sv, "en": price.en}} for price in prices],
    }
    return told, 1 if refused else 0


def _told(finding: TariffFinding) -> dict[str, Any]:
    text = {"sv": finding.sv, "en": finding.en}
    return {"code": finding.code.value, "path": finding.path, "severity": finding.severity.value, "text": text}
