"""How was this session's energy found, and how sure is it?

The way that was used, the other ways beside it, the most that the outlet could have given, the registers, and what had to
be explained to follow them: everything that a person needs to believe the energy, or not to.
"""

import msgspec

from laddbok.model.energy import Confidence, EnergyFinding, Method
from laddbok.model.session import MeterNote


class EstimateView(msgspec.Struct):
    """One way of finding the energy [Wh], and how much of the session it covers [s]."""

    method: Method
    energy_wh: int
    covered_s: int


class EnergyView(msgspec.Struct):
    """How the energy was found. `estimates` the strongest first, the used one among them; `bound_wh` is the most that the
    outlet could give; `gap_wh` what the register moved since the session before, null: not known.

    `begin_wh` and `end_wh` are the registers that were followed, `carried_wh` what the energy is more than their difference.
    """

    energy_wh: int | None
    method: Method | None
    confidence: Confidence
    estimates: list[EstimateView]
    bound_wh: int
    gap_wh: int | None
    begin_wh: int | None
    end_wh: int | None
    carried_wh: int
    notes: list[MeterNote]


class Registers(msgspec.Struct, kw_only=True):
    """What a stored session says of the registers that were followed [Wh]."""

    begin_wh: int | None = None
    mark_wh: int | None = None
    carried_wh: int | None = None
    notes: tuple[MeterNote, ...] = ()

    @property
    def energy_wh(self) -> int | None:
        """Energy so far [Wh]; None before a first reading."""
        if self.begin_wh is None or self.mark_wh is None:
            return self.carried_wh
        return self.mark_wh - self.begin_wh + (self.carried_wh or 0)


def energy_view(finding: EnergyFinding | None, registers: Registers) -> EnergyView | None:
    """The finding of a session as it looks from outside; None before there is one."""
    if finding is None:
        return None
    return EnergyView(
        energy_wh=finding.energy_wh,
        method=finding.method,
        confidence=finding.confidence,
        estimates=[EstimateView(each.method, each.energy_wh, each.covered_s) for each in finding.estimates],
        bound_wh=finding.bound_wh,
        gap_wh=finding.gap_wh,
        begin_wh=registers.begin_wh,
        end_wh=registers.mark_wh,
        carried_wh=registers.carried_wh or 0,
        notes=list(registers.notes),
    )
