"""Are the published exchange rates read as they are, and everything else refused by name?"""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from laddbok.model.errors import Invalid
from laddbok.wires.exchange_rates import read_rate_file, read_rates

XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject><gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube><Cube time="2026-11-20"><Cube currency="USD" rate="1.0583"/><Cube currency="SEK" rate="11.0350"/></Cube>
<Cube time="2026-11-19"><Cube currency="SEK" rate="11.02"/></Cube></Cube></gesmes:Envelope>"""


def test_xml_of_many_days_is_read() -> None:
    found = [(each.currency, each.day, each.rate) for each in read_rates(XML)]
    assert found == [
        ("USD", date(2026, 11, 20), Decimal("1.0583")),
        ("SEK", date(2026, 11, 20), Decimal("11.0350")),
        ("SEK", date(2026, 11, 19), Decimal("11.02")),
    ]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "row 1"),
        (b"\xff\xfe", "file"),
        (b"Datum,SEK\n2026-11-20,11\n", "row 1"),
        (b"Date,SEK\n2026-11-20\n", "row 2"),
        (b"Date,SEK\n2026-11-20,eleven\n", "row 2.SEK"),
        (b"Date,SEK\n2026-11-20,0\n", "row 2.SEK"),
        (b"Date,SEK\n2026-11-20,-1\n", "row 2.SEK"),
        (b"Date,SEK\n2026-11-20,1e12\n", "row 2.SEK"),
        (b"Date,SEK\n2026-11-31,11\n", "row 2.SEK"),
        (b"Date,EUR\n2026-11-20,1\n", "row 2.EUR"),
        (b"Date,kr\n2026-11-20,1\n", "row 2.kr"),
        (b"Date,SEK\n2026-11-20,11\n2026-11-20,12\n", "row 3.SEK"),
        (b"Date,SEK\n", "file"),
        (XML[:200], "file"),
        (XML.replace(b"11.02", b""), "Cube 2026-11-19[0]"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "file"),
        (b"<a/>", "file"),
    ],
)
def test_what_is_no_rate_is_refused_by_its_place(content: bytes, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_rates(content)
    assert refused.value.field == field


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="can't be read"):
        read_rate_file(tmp_path / "eurofxref.csv")
