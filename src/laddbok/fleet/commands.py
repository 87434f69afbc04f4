"""What is the same in both protocols when a virtual station obeys its central system?"""

from collections.abc import Iterable
from datetime import datetime

from laddbok.fleet.outlet import Outlet
from laddbok.fleet.peer import Refusal
from laddbok.fleet.profile_wire import ProfileWire16, ProfileWire201, profile_of
from laddbok.fleet.profiles import Purpose
from laddbok.fleet.station import Station
from laddbok.fleet.vehicle import VOLTAGE_V


def set_operative(outlets: Iterable[Outlet], is_operative: bool) -> str:
    """Put outlets in or out of operation. Returns: the status of the answer; one in use goes out of it afterwards.

    Source: OCPP 1.6 5.2; OCPP 2.0.1 G03, G04.
    """
    concerned = list(outlets)
    for outlet in concerned:
        outlet.is_operative = is_operative
    if not concerned:
        return "Rejected"
    must_wait = not is_operative and any(outlet.transaction for outlet in concerned)
    return "Scheduled" if must_wait else "Accepted"


def store_profile(
    station: Station, wire: ProfileWire16 | ProfileWire201, purpose: Purpose, outlet: Outlet | None
) -> None:
    """Store a charging profile for an outlet (None: for all). Raises: Refusal when it can't be one."""
    try:
        profile = profile_of(wire, purpose, outlet.evse_id if outlet else 0)
    except ValueError as error:
        raise Refusal("PropertyConstraintViolation", str(error)) from error
    station.profiles.add(profile)


def composite(station: Station, outlet: Outlet, duration_s: int, unit: str, at: datetime) -> list[dict[str, float]]:
    """The periods of an outlet's composite schedule. Args: unit, A or W.

    Source: OCPP 1.6 5.7; OCPP 2.0.1 K08.
    """
    draw = station.draw(outlet)
    per_unit = 1 if unit == "W" else VOLTAGE_V * (draw.phases or 3)
    steps = station.profiles.composite(draw, at, duration_s, outlet.rated_w)
    return [{"startPeriod": start_s, "limit": round(limit_w / per_unit, 1)} for start_s, limit_w in steps]
