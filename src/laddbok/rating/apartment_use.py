"""Which apartment used it?

The one to which the session's id token, or else its contract, belonged on the local day on which it began (case B44). A session
of nobody is nobody's: it is counted under no name, and never lost.

>>> from laddbok.model.apartments import Apartment, belongings
>>> house = Apartments(apartments=(
...     Apartment(apartment="1001", holders=(Holder(contract_id="anna", last_day=date(2026, 10, 14)),)),
...     Apartment(apartment="1002", holders=(Holder(contract_id="anna", first_day=date(2026, 10, 15)),))))
>>> held = belongings(house)
>>> [apartment_of("anna", "04A2", date(2026, 10, day), held) for day in (14, 15)], apartment_of(None, "04A2", date(2026, 10, 1), held)
(['1001', '1002'], None)
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from laddbok.model.apartments import Apartments, Holder
from laddbok.model.statement import CountedSession

Belongings = Mapping[tuple[str | None, str | None], Sequence[tuple[str, Holder]]]
NOBODY = ""
"""Under this name stands what belongs to no apartment."""


def apartment_of(contract_id: str | None, token: str | None, day: date, held: Belongings) -> str | None:
    """Whose a session is.

    Args: token, normalised; day, on which it began, by the clock of the site; held, of whom everything is (model.apartments).
    Source: our choice, docs/rules.md "Apartment lists"; case B44.
    """
    for known in ((None, token), (contract_id, None)):
        for apartment, holder in held.get(known, ()) if any(known) else ():
            if holder.holds_on(day):
                return apartment
    return None


def used_by(sessions: Iterable[CountedSession], house: Apartments) -> dict[str, int]:
    """Each apartment's energy [Wh], those without use at 0; and under NOBODY, if there is any, that of no apartment."""
    used = {each.apartment: 0 for each in house.apartments}
    for session in sessions:
        name = session.apartment or NOBODY
        used[name] = used.get(name, 0) + session.energy_wh
    return used
