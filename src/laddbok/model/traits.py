"""What do we know of a station's habits?

Stations tell the same thing in many ways: a register that counts for the meter's whole life or anew in each session, a
clock in local time, readings that begin at nought. `Traits` is what its own evidence taught us of one station, version by
version; a quirk is what is publicly known of its model. A session freezes both when it opens, so that it is folded with
them for ever.
"""

from enum import StrEnum

import msgspec


class RegisterKind(StrEnum):
    """What the register in a station's starts and stops counts. Source: our choice, docs/rules.md "Habits of a station"."""

    UNKNOWN = "unknown"
    LIFETIME = "lifetime"
    """Since the meter was made: it only grows."""
    SESSION = "session"
    """Anew in each session."""
    BOOT = "boot"
    """Anew after each restart of the station."""


class Quirk(StrEnum):
    """Something that a model does otherwise than the standard says; the engine knows how to read it."""

    ZERO_BEGIN = "zero_begin_is_a_placeholder"
    """A start with register 0 says nothing of the register (case S33)."""
    SAMPLES_FROM_ZERO = "samples_count_from_zero"
    """Readings during a session count from its start, whatever the register in the start was (case S34)."""
    LOCAL_TIME = "local_time_labelled_utc"
    """Stamps are the site's wall time, labelled as UTC (case S28)."""
    NO_CLOCK = "stamps_mean_nothing"
    """Its stamps are never believed (case S27)."""
    REGISTER_IN_KWH = "register_in_kwh"
    """The register is in kWh, labelled Wh or not at all (case S38)."""
    ROLLS_OVER_AT_1_MWH = "register_rolls_over_at_1000000_wh"
    """After 999,999 Wh the register begins again at 0 (case B13)."""
    ROLLS_OVER_AT_10_MWH = "register_rolls_over_at_10000000_wh"


class EvsePhases(msgspec.Struct, frozen=True):
    """The lines (1 to 3) on which an EVSE ever drew current."""

    evse_id: int
    lines: tuple[int, ...]


class Sighting(msgspec.Struct, frozen=True):
    """A habit that was seen `times` sessions in a row and is not believed yet. `value` None: nothing is under watch."""

    value: str | int | bool | None = None
    times: int = 0


class Traits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a station's sessions taught us of it, by version; 0: nothing yet."""

    version: int = 0
    register_kind: RegisterKind = RegisterKind.UNKNOWN
    samples_from_zero: bool = False
    """Readings during a session count from its start (case S34)."""
    register_unit_wh: int = 1
    """What one Wh of its register truly is; 1000: it counts kWh and calls them Wh (case S38)."""
    clock_offset_s: int = 0
    """What must be added to its stamps; 0: its clock is right, or nobody knows."""
    phases: tuple[EvsePhases, ...] = ()
    """By EVSE."""
    watched: dict[str, Sighting] = {}
    """What may become a habit, by the name of its field."""
