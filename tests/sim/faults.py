"""Which faults does a seed have?

Each class is on or off per seed, so that some seeds have one fault alone and some have nearly all: a bug that needs two
of them, or that a third one hides, is found as well. `calm` ends those of the network, the platform and the database;
what a station did wrong stays done.
"""

from dataclasses import dataclass, field
from random import Random

OF_THE_NETWORK = ("loss", "delay", "duplicate", "cut", "half_open", "flapping")
OF_THE_PLATFORM = ("crash", "outcome_unknown", "store_down", "outage", "slow_database", "poison", "two_gateways")
OF_THE_STATIONS = (
    *("power_cut", "forgetful", "register_reset", "begin_zero", "wrong_clock", "replay", "message_ids", "status_first"),
    *("odd_zero", "no_transaction_id", "values_after", "long_silence"),
)
OF_THE_PEOPLE = ("tariff_change", "dst_night", "commands", "strangers")
CLASSES = (*OF_THE_NETWORK, *OF_THE_PLATFORM, *OF_THE_STATIONS, *OF_THE_PEOPLE)
"""Ledger, charging profiles and grid events join here when they are built."""


@dataclass(slots=True)
class Faults:
    """The classes that are on."""

    on: frozenset[str]
    is_calm: bool = False
    happened: dict[str, int] = field(default_factory=dict)
    """How often each class struck; a class that never strikes tests nothing."""

    @classmethod
    def drawn(cls, chance: Random) -> "Faults":
        """Those of a seed: each with the same likelihood, which itself is drawn."""
        likelihood = chance.choice((0.15, 0.4, 0.4, 0.75))
        return cls(frozenset(name for name in CLASSES if chance.random() < likelihood))

    def __contains__(self, name: str) -> bool:
        """Whether this class may strike now."""
        return name in self.on and not self.is_calm

    def strikes(self, name: str, chance: Random, likelihood: float) -> bool:
        """Whether a fault of this class happens now."""
        if name not in self.on or self.is_calm or chance.random() >= likelihood:
            return False
        self.happened[name] = self.happened.get(name, 0) + 1
        return True
