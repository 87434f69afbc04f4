"""What is known of a model, and does the table mean what it says?"""

import pytest

from laddbok.model.errors import Invalid
from laddbok.model.traits import Quirk
from laddbok.sessions.quirks import MAX_ROWS, known_quirks, quirks_of, read_quirks
from tests.rules.sessions.people import knows
from tests.rules.sessions.stage import Stage

ROW = '[[quirk]]\nvendor = "{}"\nmodel = "{}"\nfirmware = "{}"\nflags = ["stamps_mean_nothing"]\nsource = "x"\n'


def is_meant(pattern: tuple[str, str, str], vendor: str | None, model: str | None, firmware: str | None) -> bool:
    return bool(quirks_of(read_quirks(ROW.format(*pattern)), vendor, model, firmware))


@pytest.mark.parametrize(
    ("pattern", "station", "expected"),
    [
        (("norr*", "*", "*"), ("NORRBOKS", None, None), True),
        (("norr*", "*", "*"), (" Norrboks ", "Vik", "1"), True),
        (("norr*", "*", "*"), ("Old Norrboks", "Vik", "1"), False),
        (("norr*", "*", "*"), (None, "Vik", "1"), False),
        (("*", "vik 1?", "*"), ("x", "Vik 11", None), True),
        (("*", "vik 1?", "*"), ("x", "Vik 1", None), False),
        (("norr*", "vik*", "4.*"), ("Norrboks", "Vik 11", "4.2.1"), True),
        (("norr*", "vik*", "4.*"), ("Norrboks", "Vik 11", "5.0"), False),
        (("norr*", "vik*", "4.*"), ("Norrboks", "Vik 11", None), False),
    ],
)
def test_whom_a_row_means(
    pattern: tuple[str, str, str], station: tuple[str | None, str | None, str | None], expected: bool
) -> None:
    assert is_meant(pattern, *station) is expected


def test_all_rows_that_match_hold_each_flag_once_in_order() -> None:
    rows = [
        ("vendor", "norr*", Quirk.ROLLS_OVER_AT_1_MWH),
        ("model", "vik", Quirk.NO_CLOCK),
        ("model", "v*", Quirk.NO_CLOCK),
    ]
    text = "\n".join(f'[[quirk]]\n{field} = "{value}"\nflags = ["{flag}"]\nsource = "x"' for field, value, flag in rows)
    assert quirks_of(read_quirks(text), "Norrboks", "Vik", None) == (Quirk.ROLLS_OVER_AT_1_MWH, Quirk.NO_CLOCK)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[[quirk]", "quirks"),
        ('[[quirks]]\nvendor = "x"', "quirks.quirks"),
        ('[[quirk]]\nflags = ["stamps_mean_nothing"]\nsource = "x"', r"quirks.quirk\[1\]"),
        (ROW.format("*", "**", "*"), r"quirks.quirk\[1\]"),
        (ROW.format("a", "*", "*") + '[[quirk]]\nvendor = "x"\nflags = ["is_odd"]\nsource = "x"', r"quirks.quirk\[2\]"),
        ('[[quirk]]\nvendor = "x"\nflags = ["stamps_mean_nothing"]', r"quirks.quirk\[1\]"),
        (ROW.format("a", "*", "*") + 'colour = "red"', r"quirks.quirk\[1\]"),
        ('[[quirk]]\nvendor = 3\nflags = ["stamps_mean_nothing"]\nsource = "x"', r"quirks.quirk\[1\]"),
        ('quirk = "x"', "quirks.quirk"),
        ("quirk = [1]", r"quirks.quirk\[1\]"),
    ],
)
def test_what_is_wrong_is_named(text: str, field: str) -> None:
    with pytest.raises(Invalid, match=field):
        read_quirks(text)


def test_a_table_has_an_end() -> None:
    with pytest.raises(Invalid, match="at most"):
        read_quirks("quirk = [" + "{}," * (MAX_ROWS + 1) + "]")


def test_every_row_that_ships_names_its_source() -> None:
    assert known_quirks() and all(row.flags and "#" in row.source for row in known_quirks())


def test_S33_the_model_of_the_production_case_is_known() -> None:
    assert quirks_of(known_quirks(), "IoCharger", "IOCAW10C", None) == (Quirk.ZERO_BEGIN,)


def test_a_station_has_the_flags_of_what_it_last_booted_as() -> None:
    stage = knows(Stage(), Quirk.NO_CLOCK)
    assert stage.desk.stations[1].state.station.quirks == (Quirk.NO_CLOCK,)
    boot = {"chargePointVendor": "Other", "chargePointModel": "Vik"}
    stage.says_16("BootNotification", boot)
    assert stage.desk.stations[1].state.station.quirks == ()
    stage.boots_16()
    stage.starts_16(1_000)
    assert stage.session().quirks == (Quirk.NO_CLOCK,)
    stage.says_16("BootNotification", boot)
    assert stage.session().quirks == (Quirk.NO_CLOCK,)
