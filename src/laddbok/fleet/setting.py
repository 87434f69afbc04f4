"""How is a setting of a virtual station read and changed from outside?

A setting is an attribute of the station, or a fixed value: there is no second copy that could differ. The configuration
keys of 1.6 and the variables of 2.0.1 are two lists of the same settings under their own names.

>>> parse("600", 300, least=1), parse("0", 300, least=1), parse("TRUE", False, least=0), parse("perhaps", False, least=0)
(600, None, True, None)
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from laddbok.fleet.station import Station

READINGS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
"""The measurands that a virtual station samples."""


class Setting(NamedTuple):
    """How a setting is read. `attribute`: where it is written, None if read-only. `least`: its smallest number."""

    read: Callable[[Station], Any]
    attribute: str | None = None
    least: int = 0

    def text(self, station: Station) -> str:
        """The value as the protocols write it."""
        value = self.read(station)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def write(self, station: Station, text: str) -> bool:
        """Change the setting; False when it is read-only or the text is not such a value."""
        value = parse(text, self.read(station), self.least)
        if self.attribute is None or value is None:
            return False
        owner, name = _owner(station, self.attribute)
        setattr(owner, name, value)
        return True


def fixed(value: object) -> Setting:
    """A read-only setting."""
    return Setting(lambda station: value)


def own(attribute: str, least: int = 0) -> Setting:
    """A setting that is an attribute of the station (`outbox.` in front: of its outbox)."""

    def read(station: Station) -> Any:
        owner, name = _owner(station, attribute)
        return getattr(owner, name)

    return Setting(read, attribute, least)


def parse(text: str, present: object, least: int) -> int | bool | None:
    """The text as a value of the same type as the present one; None when it isn't."""
    if isinstance(present, bool):
        return {"true": True, "false": False}.get(text.strip().lower())
    number = int(text) if text.strip().isdecimal() else None
    return number if number is not None and number >= least else None


def _owner(station: Station, attribute: str) -> tuple[Any, str]:
    if attribute.startswith("outbox."):
        return station.outbox, attribute.removeprefix("outbox.")
    return station, attribute
