"""Who comes to an outlet?

Drivers in quick succession: they plug in and present an id token in either order, stay a while, and stop at the reader,
by pulling the cable, by asking the operator, or with another driver's token. Some come with a token that nobody knows or
that is blocked; some present it twice. At the end all go home.
"""

from collections.abc import Callable
from datetime import datetime

from laddbok.fleet.peer import Out
from laddbok.fleet.station import Station
from laddbok.fleet.vehicle import Vehicle
from tests.sim.box import Box
from tests.sim.faults import Faults
from tests.sim.offices import Offices

STAY_S = (20, 2700)
PAUSE_S = (5, 1500)
AGAIN_S = 15.0
"""How long a driver waits at a station without power before trying again."""
LONG_S = 3600.0
STRANGERS = ("0BADF00D", "04B10C4ED0", "04E4B1EED0")
"""Unknown, blocked, expired."""

Deed = Callable[[Station, datetime], list[Out]]


class Visitors:
    """The drivers of one outlet, one after the other."""

    def __init__(self, box: Box, evse_id: int, tokens: tuple[str, ...], faults: Faults, offices: Offices) -> None:
        self._box = box
        self._evse_id = evse_id
        self._outlet = box.station.outlets[evse_id - 1]
        self._tokens = tokens
        self._faults = faults
        self._offices = offices
        self._chance = box.world.chance(f"drivers of {box.identity}/{evse_id}")
        self._visit = 0
        self._is_over = False
        box.world.after(self._chance.uniform(0, 900), self._arrive)

    def go_home(self) -> None:
        """All leave, and nobody comes any more."""
        self._is_over = True
        self._visit += 1
        self._leave(self._visit)

    def _arrive(self) -> None:
        if self._is_over:
            return
        chance = self._chance
        self._visit += 1
        token = chance.choice(self._tokens)
        if "strangers" in self._faults.on and chance.random() < 0.2:
            token = chance.choice(STRANGERS)
        first, second = self._plug_in, self._present(token)
        if chance.random() < 0.3:
            first, second = second, first
        hesitates_s, stays_s = chance.uniform(2, 40), chance.uniform(*STAY_S)
        self._later(0, first)
        self._later(hesitates_s, second)
        if chance.random() < 0.1:
            self._later(hesitates_s + chance.uniform(0.1, 3), self._present(token))
        self._later(hesitates_s + stays_s, self._stop)

    def _later(self, seconds: float, deed: Deed) -> None:
        self._box.world.after(seconds, self._try, self._visit, deed)

    def _try(self, visit: int, deed: Deed) -> None:
        """Do it, as soon as the station has power, unless the driver has left."""
        if visit != self._visit:
            return
        if self._box.is_off:
            self._box.world.after(self._patience_s, self._try, visit, deed)
        else:
            self._box.act(deed)

    @property
    def _patience_s(self) -> float:
        return LONG_S if self._box.is_asleep else AGAIN_S

    def _plug_in(self, station: Station, at: datetime) -> list[Out]:
        if self._outlet.vehicle is not None:
            return []
        chance = self._chance
        power_w = chance.choice((3_680, 7_360, 11_040, 22_080, 90_000))
        car = Vehicle(
            need_wh=chance.choice((0, chance.randint(1, 900), chance.randint(500, 30_000))),
            battery_wh=60_000,
            soc_pct=30,
            power_w=lambda soc_pct: power_w,
        )
        return station.plug_in(self._evse_id, car, at)

    def _present(self, token: str) -> Deed:
        return lambda station, at: station.present_token(self._evse_id, token, at)

    def _stop(self, station: Station, at: datetime) -> list[Out]:
        chance, transaction = self._chance, self._outlet.transaction
        how = chance.choice(("reader", "reader", "cable", "operator", "reset"))
        outs: list[Out] = []
        if transaction is not None and how == "reader":
            outs = station.present_token(self._evse_id, transaction.record.id_token or "", at)
        elif transaction is not None and "commands" in self._faults and transaction.record.transaction_id:
            self._ask(how, transaction.record.transaction_id)
        self._box.world.after(chance.choice((0.5, 20.0, 400.0)), self._leave, self._visit)
        return outs

    def _ask(self, how: str, transaction_id: str) -> None:
        is_16 = self._box.protocol == "1.6"
        if how == "operator" and is_16:
            self._offices.ask(self._box.number, "RemoteStopTransaction", {"transactionId": int(transaction_id)})
        elif how == "operator":
            self._offices.ask(self._box.number, "RequestStopTransaction", {"transactionId": transaction_id})
        elif how == "reset":
            kind = self._chance.choice(("Hard", "Soft") if is_16 else ("Immediate", "OnIdle"))
            self._offices.ask(self._box.number, "Reset", {"type": kind})

    def _leave(self, visit: int) -> None:
        if visit != self._visit:
            return
        if self._box.is_off:
            self._box.world.after(self._patience_s, self._leave, visit)
            return
        if self._outlet.vehicle is not None or self._outlet.transaction is not None:
            self._box.act(lambda station, at: station.unplug(self._evse_id, at))
        if not self._is_over:
            self._box.world.after(self._chance.uniform(*PAUSE_S), self._arrive)
