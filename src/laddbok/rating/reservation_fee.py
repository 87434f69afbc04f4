"""What does it cost to have reserved an EVSE?

A fee once, and the reserved time by the second, in steps of its own. A reservation runs from when it was made to the start of
charging, or until it expires. One that expired costs what the tariff says for that; per dimension it costs what any
reservation does where the tariff says nothing else for it. So the fee for not coming is an element RESERVATION_EXPIRES. Other
restrictions of an element are judged during the reservation, durations from its start.

Ten minutes at 12.00 an hour, and 4.00 for nothing but coming late:

>>> from laddbok.rating.examples import RESERVED, reservation_tariff
>>> [(usage.component.kind.value, usage.quantity) for usage in reservation_fee(RESERVED, reservation_tariff())[0]]
[('reservation_time', 600)]
>>> from msgspec.structs import replace
>>> usages, _ = reservation_fee(replace(RESERVED, expired=True), reservation_tariff())
>>> [(usage.component.kind.value, usage.quantity) for usage in usages]
[('reservation_flat', 1), ('reservation_time', 600)]
"""

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod, Reservation
from laddbok.model.rated import LineKind
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.flat_fee import flat_fee
from laddbok.rating.restrictions import Slice
from laddbok.rating.slices import slices
from laddbok.rating.step_size import in_steps
from laddbok.rating.usage import Usage, gather


def reservation_fee(reservation: Reservation | None, compiled: CompiledTariff) -> tuple[list[Usage], int]:
    """The fee for a reservation and its time [s] under each price, and the time that no component prices.

    Source: OCPI 2.3.0 mod_tariffs, TariffRestrictions reservation, ReservationRestrictionType and its NOTE, for time; our
        choice that it goes for the fee as well, and that what the tariff never prices is not unpriced.
    """
    if reservation is None:
        return [], 0
    components = compiled.reservation.expired if reservation.expired else compiled.reservation.used
    fees = [component for component in components if component.kind is LineKind.RESERVATION_FLAT]
    times = [component for component in components if component.kind is LineKind.RESERVATION_TIME]
    if not components:
        return [], 0
    held = _slices(reservation, compiled)
    reserved, unpriced_s = gather(times, ((at, at.end_s - at.start_s) for at in held if at.end_s > at.start_s))
    return [*flat_fee(held, fees), *in_steps(reserved)], unpriced_s if times else 0


def _slices(reservation: Reservation, compiled: CompiledTariff) -> list[Slice]:
    """The reservation, cut where its price can change, as a session in which nothing flows."""
    start_at, end_at = reservation.start_at, reservation.end_at
    held = ChargingPeriod(start_at=start_at, end_at=end_at, activity=Activity.PAUSED_BY_EVSE, energy_wh=0)
    nothing = Cdr(
        session_id="", started_at=start_at, charging_ended_at=None, transaction_ended_at=end_at, unplugged_at=None,
        last_contact_at=None, energy_wh=0, periods=(held,), time_zone=compiled.time_zone or "UTC",
    )  # fmt: skip
    return slices(nothing, compiled)
