"""Does a file of day-ahead prices come in exactly, or not at all?"""

import gzip
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.model.errors import Invalid
from laddbok.model.market_prices import PriceQuote, gaps_of, missing_of, quarters_of
from laddbok.wires import price_rows
from laddbok.wires.importers.session_file import MAX_LINE_BYTES
from laddbok.wires.price_feeds import read_price_file
from laddbok.wires.price_rows import price

HEADER = "zone,start_utc,minutes,SEK_per_kWh,EUR_per_kWh\n"
HOUR = "SE3,2025-09-30T21:00:00Z,60,0.31690,0.02846\n"
QUARTER = "SE3,2025-09-30T22:{:02}:00Z,15,-0.5,-0.04484\n"


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "prices.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_prices_are_read_exactly_in_both_currencies_and_resolutions(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    quotes = read_price_file(written(tmp_path, pack((HEADER + HOUR + QUARTER.format(0)).encode())))
    start_s = 1_759_266_000
    assert quotes == [
        PriceQuote("SE3", "SEK", start_s, 60, Decimal("0.31690")),
        PriceQuote("SE3", "EUR", start_s, 60, Decimal("0.02846")),
        PriceQuote("SE3", "SEK", start_s + 3600, 15, Decimal("-0.5")),
        PriceQuote("SE3", "EUR", start_s + 3600, 15, Decimal("-0.04484")),
    ]
    assert [str(quote.per_kwh) for quote in quotes[:2]] == ["0.31690", "0.02846"]


def test_a_file_may_have_one_currency_and_its_columns_in_any_order(tmp_path: Path) -> None:
    text = (
        "minutes,NOK_per_kWh,zone,start_utc\n15,1.25,NO1,2026-05-04T14:15:00+02:00\n\n15,1,NO1,2026-05-04T12:30:00Z\n"
    )
    found = [(quote.zone, quote.currency, quote.start_s % 3600) for quote in read_price_file(written(tmp_path, text))]
    assert found == [("NO1", "NOK", 900), ("NO1", "NOK", 1800)]


BAD_ROWS = {
    "SE3,2025-09-30T21:00:00Z,60,NaN,0.02": "line 3: SEK_per_kWh: 'NaN' is no number",
    "SE3,2025-09-30T21:00:00Z,60,0.3,": "line 3: EUR_per_kWh: '' is no number",
    "SE3,2025-09-30T21:00:00Z,60,0.3,Infinity": "line 3: EUR_per_kWh",
    'SE3,2025-09-30T21:00:00Z,60,"0,3",0.02': "line 3: SEK_per_kWh",
    "SE3,2025-09-30T21:00:00Z,60,1_0,0.02": "line 3: SEK_per_kWh",
    "SE3,2025-09-30T21:00:00Z,60,100000,0.02": "line 3: SEK_per_kWh.*no price of a kWh",
    "SE3,2025-09-30T21:00:00Z,60,1e-13,0.02": "line 3: SEK_per_kWh.*no price of a kWh",
    "SE3,2025-09-30T21:00:00Z,60,1e999999999,0.02": "line 3: SEK_per_kWh.*no price of a kWh",
    "SE3,2025-09-30T21:00:00Z,60,0e999999999,0.02": "line 3: SEK_per_kWh.*no price of a kWh",
    "SE3,2025-09-30T21:00:00Z,60,0.3": "line 3: 4 values for 5 columns",
    "SE3,2025-09-30T21:00:00Z,60,0.3,0.02,": "line 3: 6 values for 5 columns",
    "se3,2025-09-30T21:00:00Z,60,0.3,0.02": "line 3: zone",
    "SE3/../x,2025-09-30T21:00:00Z,60,0.3,0.02": "line 3: zone",
    "SE3,2025-09-30T21:00:00,60,0.3,0.02": "line 3: start_utc.*no instant",
    "SE3,2025-09-31T21:00:00Z,60,0.3,0.02": "line 3: start_utc",
    "SE3,1970-01-01T00:00:00Z,60,0.3,0.02": "line 3: start_utc",
    "SE3,0001-01-01T00:00:00+23:00,60,0.3,0.02": "line 3: start_utc",
    "SE3,2025-09-30T21:15:00Z,60,0.3,0.02": "line 3: start: .*not the start of 60",
    "SE3,2025-09-30T21:20:00Z,15,0.3,0.02": "line 3: start: .*not the start of 15",
    "SE3,2025-09-30T21:00:00.5Z,60,0.3,0.02": "line 3: start: ",
    "SE3,2025-09-30T21:00:00Z,30,0.3,0.02": "line 3: minutes: '30' is neither 15 nor 60",
    "SE3,2025-09-30T21:00:00Z,,0.3,0.02": "line 3: minutes",
    HOUR.strip(): "line 3: its time is that of line 2",
    "SE3,2025-09-30T21:45:00Z,15,0.31690,0.02846": "line 3: its time is that of line 2, or lies within it",
}


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_row_that_cant_be_read_is_named_with_its_column(tmp_path: Path, row: str) -> None:
    good = HOUR if "2025-09-30T21" in row and "its time" in BAD_ROWS[row] else QUARTER.format(15)
    with pytest.raises(Invalid, match=BAD_ROWS[row]):
        read_price_file(written(tmp_path, HEADER + good + row + "\n"))


def test_an_hour_that_comes_over_a_quarter_is_refused_but_not_that_of_another_zone(tmp_path: Path) -> None:
    quarter, hour = QUARTER.format(45), HOUR.replace("T21", "T22")
    assert len(read_price_file(written(tmp_path, HEADER + quarter + hour.replace("SE3", "SE4")))) == 4
    with pytest.raises(Invalid, match="line 4: its time is that of line 2"):
        read_price_file(written(tmp_path, HEADER + quarter + hour.replace("SE3", "SE4") + hour))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"header: .*\(none\)"),
        (b"zone,start_utc,minutes\n", "header"),
        (b"zone,start_utc,minutes,price\n", "header: .*not: zone, start_utc, minutes, price"),
        (b"zone,start_utc,minutes,SEK_per_kWh,SEK_per_kWh\n", "header"),
        (b"zone,start_utc,minutes,SEK_per_kWh,note\n", "header"),
        (gzip.compress((HEADER + HOUR).encode() * 900)[:-40], "line"),
        (b"\x1f\x8bnot gzip at all", "line"),
        (HEADER.encode() + b"\xff\xfe\n", "line 2"),
        (HEADER.encode() + b"x" * (MAX_LINE_BYTES + 1), "line 2: it is longer"),
        (HEADER.encode() + b'"SE3"x,\n', "line 2"),
    ],
)
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        read_price_file(written(tmp_path, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No such file"):
        read_price_file(tmp_path / "none.csv")


def test_rows_have_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_rows, "MAX_ROWS", 2)
    path = written(tmp_path, HEADER + HOUR + QUARTER.format(0))
    assert len(read_price_file(path)) == 4
    with pytest.raises(Invalid, match="line 4: more than 2 rows"):
        read_price_file(written(tmp_path, HEADER + HOUR + QUARTER.format(0) + QUARTER.format(15)))


@given(st.decimals(-99_999, 99_999, allow_nan=False, places=5))
def test_any_price_of_five_decimals_is_read_as_it_was_written(number: Decimal) -> None:
    assert str(price(f"{number:f}", "x")) == str(Decimal(f"{number:f}"))


def test_B1_the_real_file_has_every_quarter_of_its_days(shared_data: Path) -> None:
    quotes = read_price_file(shared_data / "prices/day_ahead_se1_se4_2024_2026.csv.gz")
    assert len(quotes) == 2 * 136_600
    known = {
        start_s for quote in quotes if (quote.zone, quote.currency) == ("SE3", "EUR") for start_s in quote.quarters
    }
    days = {date(2024, 3, 31): 92, date(2025, 9, 30): 96, date(2025, 10, 26): 100, date(2026, 3, 29): 92}
    assert {day: len(quarters_of(day)) - len(missing_of(quarters_of(day), known)) for day in days} == days
    missing = missing_of(quarters_of(date(2024, 1, 1), date(2026, 4, 14)), known)
    assert [(gap.start_at.isoformat(), gap.quarters) for gap in gaps_of(missing)] == [("2023-12-31T23:00:00+00:00", 4)]
