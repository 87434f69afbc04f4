"""How much energy was it, how do we know, and how sure are we?

Several estimates of the same energy are drawn from what a station told. One of them is used; the others support it or
speak against it. A finding is what the session says of all that, so that a person can check it.
"""

from enum import StrEnum

import msgspec


class Method(StrEnum):
    """Where an estimate of a session's energy comes from, the strongest first. Source: docs/rules.md "Energy"."""

    SIGNED = "signed"
    """Signed meter values at begin and end (OCMF)."""
    REGISTERS = "registers"
    """The registers in start and stop."""
    TRANSACTION_DATA = "transaction_data"
    """Readings marked Transaction.Begin and Transaction.End."""
    CONTINUED = "continued"
    """From the register at which the session before ended, where the begin of this one is not to be believed."""
    SAMPLED = "sampled"
    """The register as it was read, reading by reading."""
    INTERVALS = "intervals"
    """The sum of energies per interval."""
    POWER = "power"
    """Power times time; never billed."""
    CURRENT = "current"
    """Current times 230 V times time; never billed."""
    CORRECTED = "corrected"
    """A person said so, with a reason."""


class Confidence(StrEnum):
    """How sure an energy is. Source: our choice, docs/rules.md "Energy"."""

    HIGH = "high"
    """Two ways of finding it agree."""
    FAIR = "fair"
    """There is one way only, or a reading had to be explained (a reset, a roll-over)."""
    LOW = "low"
    """Ways of finding it disagree, or a part of it is a guess: a person must look."""


class Estimate(msgspec.Struct, frozen=True):
    """One way of finding the energy [Wh], and the time [s] of the session that it covers."""

    method: Method
    energy_wh: int
    covered_s: int


class EnergyFinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The energy of a session [Wh], with all estimates; `energy_wh` None: nothing can be believed."""

    energy_wh: int | None
    method: Method | None
    confidence: Confidence
    estimates: tuple[Estimate, ...] = ()
    bound_wh: int = 0
    """The most that the outlet could give in the time of the session."""
    gap_wh: int | None = None
    """By how much the register moved since the session before ended; None: not known, or it begins anew each time."""
