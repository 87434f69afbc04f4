"""What does this OCPI CDR cost under this OCPI tariff?

Two files in, one priced answer out, by the same rating that prices our own sessions. A site's time zone comes from the
caller, else from the document, else from the country where that has only one; a tariff that depends on local time is
refused without. Broken input is refused with the field that is wrong, and never priced.
"""

from pathlib import Path
from typing import Any

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.market_prices import prices_of
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.tariff import Tariff, decode_object, parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate
from laddbok.wires.country_zones import zone_of
from laddbok.wires.ocpi_answer import answer
from laddbok.wires.ocpi_cdr import read_cdr
from laddbok.wires.price_feeds import read_price_file

MAX_FILE_BYTES = 10_000_000
VERSIONS = ("2.2.1", "2.3.0")


def rate_files(
    tariff_path: Path,
    cdr_path: Path,
    version: str | None = None,
    time_zone: str | None = None,
    explain: bool = False,
    prices_path: Path | None = None,
) -> dict[str, Any]:
    """Price the CDR in one file with the tariff in another.

    Args: version, "2.2.1" or "2.3.0", None: as the tariff shows; time_zone, the site's IANA zone, None: as the CDR
        shows; explain, whether every line explains itself in English and Swedish; prices_path, a file of day-ahead prices,
        without which a spot price is not known.
    Returns: `currency, total_cost {excl_vat, incl_vat}`, a cost per dimension, `lines, findings`; amounts are decimal
        strings or None, and negative for a credit CDR.
    Raises: Invalid for input that can't be priced.
    """
    tariff = parse_tariff(object_in(tariff_path))
    _check_version(tariff, version)
    found = read_cdr(object_in(cdr_path))
    if found.currency != tariff.currency:
        raise Invalid("currency", f"the CDR is in {found.currency}, the tariff in {tariff.currency}")
    zone = found.time_zone or (zone_of(found.country) if found.country else None) if time_zone is None else time_zone
    cdr = msgspec.structs.replace(found.cdr, time_zone="UTC" if zone is None else zone)
    prices = _prices(prices_path, tariff) if prices_path else None
    rating = rate(cdr, compile_tariff(tariff, zone), energy_known=found.energy_known, prices=prices)
    return answer(tariff, found, zone, rating, explain)


def _prices(path: Path, tariff: Tariff) -> SpotPrices | None:
    """What the file quotes for the tariff's spot price, in its currency; nothing is read for a tariff that has none."""
    spot = tariff.laddbok.spot
    if spot is None:
        return None
    prices = prices_of(read_price_file(path), spot.zone, tariff.currency, path.name)
    if not prices.by_start_s:
        raise Invalid(str(path), f"has no prices of {spot.zone} in {tariff.currency}")
    return prices


def object_in(path: Path) -> dict[str, Any]:
    """The JSON object in a file, out of the envelope of an OCPI response if it is in one.

    Source: OCPI 2.3.0 transport_and_format, Response format; a list of one object is taken as that object.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Invalid(str(path), f"can't be read: {error.strerror}") from None
    if len(text) >= MAX_FILE_BYTES:
        raise Invalid(str(path), f"is {MAX_FILE_BYTES // 1_000_000} MB or more")
    found = decode_object(text.removeprefix(b"\xef\xbb\xbf"), str(path))
    if "status_code" not in found:
        return found
    data = found.get("data")
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if not isinstance(data, dict):
        raise Invalid("data", "is not one object")
    return data


def _check_version(tariff: Tariff, version: str | None) -> None:
    if version is not None and version not in VERSIONS:
        raise Invalid("version", f"{version!r} is neither of {', '.join(VERSIONS)}")
    if version == "2.3.0" and tariff.version != version:
        raise Invalid("tax_included", "is missing: OCPI 2.3.0 requires it")
    if version == "2.2.1" and tariff.version != version:
        raise Invalid("tax_included", "is not a field of OCPI 2.2.1")
