"""Does the code on an invoice say what is to be paid, and does a reader find it?"""

import re
from decimal import Decimal

import msgspec
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.payment_qr import QUIET_ZONE, payment_json, qr_matrix, qr_svg
from tests.rules.billing import papers

ONE = papers.one_session()


def test_the_code_for_the_bank_says_who_is_paid_what_and_when() -> None:
    invoice = papers.one_session()
    code = payment_json(invoice)
    assert code is not None
    assert msgspec.json.decode(code) == {
        "uqr": 1, "tp": 1, "nme": "Norrladd AB", "cc": "SE", "cid": "556036-0793", "iref": invoice.payment_reference,
        "idt": "20261103", "ddt": "20261203", "due": 192.0, "vat": 38.31, "cur": "SEK", "pt": "BG", "acc": "991-2346",
        "adr": "903 26 Umeå",
    }  # fmt: skip
    assert '"due":192.00,' in code


@pytest.mark.parametrize("payable", ["0.00", "-1.00"])
def test_there_is_no_code_where_nothing_is_to_be_paid(payable: str) -> None:
    invoice = papers.one_session()
    nothing = replace(invoice, totals=replace(invoice.totals, payable=Decimal(payable)))
    assert payment_json(nothing) is None


def test_an_account_abroad_is_an_iban_and_without_one_there_is_no_code() -> None:
    invoice = papers.one_session()
    abroad = replace(invoice.seller, bankgiro=None, iban="DE89 3704 0044 0532 0130 00", bic="COBADEFFXXX")
    code = payment_json(replace(invoice, seller=abroad))
    assert code is not None
    assert '"pt":"IBAN","acc":"DE89370400440532013000","bc":"COBADEFFXXX"' in code
    assert payment_json(replace(invoice, seller=replace(abroad, iban=None))) is None


def drawn(svg: str) -> tuple[bytes, ...]:
    """The modules of a picture of a code, read back from its outline."""
    found = re.search(r'viewBox="0 0 (\d+) \1"', svg)
    assert found is not None
    size = int(found[1])
    rows = [bytearray(size) for _ in range(size)]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", svg):
        for at in range(int(x), int(x) + int(width)):
            assert not rows[int(y)][at]
            rows[int(y)][at] = 1
    edge = QUIET_ZONE
    assert not any(map(any, [*rows[:edge], *rows[-edge:], *(row[:edge] + row[-edge:] for row in rows)]))
    return tuple(bytes(row[edge:-edge]) for row in rows[edge:-edge])


def scanned(rows: tuple[bytes, ...]) -> zxingcpp.Barcode:
    """What a reader finds in a code of four pixels a module, with nothing around it but its quiet zone."""
    edge, size = 4 * QUIET_ZONE, 4 * (len(rows) + 2 * QUIET_ZONE)
    pixels = bytearray(b"\xff" * (size * size))
    for y, row in enumerate(rows):
        line = b"".join(bytes([255 * (1 - module)]) * 4 for module in row)
        for step in range(4):
            at = (edge + 4 * y + step) * size + edge
            pixels[at : at + len(line)] = line
    [found] = zxingcpp.read_barcodes(memoryview(pixels).cast("B", (size, size)), zxingcpp.BarcodeFormat.QRCode)
    assert found.ec_level == "M"
    return found


@settings(max_examples=20)
@given(st.integers(1, 9_999_999), st.text(max_size=40))
def test_a_reader_finds_in_the_picture_what_is_asked_for(number: int, name: str) -> None:
    seller = replace(ONE.seller, name=f"Åkes {name}")
    invoice = replace(ONE, seller=seller, number=f"1{number:07d}", payment_reference=f"1{number:07d}00")
    code = payment_json(invoice)
    assert code is not None
    assert drawn(qr_svg(code)) == qr_matrix(code)
    assert bytes(scanned(drawn(qr_svg(code))).bytes) == code.encode()


@pytest.mark.parametrize("city", ["Östersund", "Ånge", "Växjö", "Malmö – é", "Lund"])
def test_a_reader_needs_no_guess_to_find_the_letters(city: str) -> None:
    address = replace(ONE.seller.address, city=city)
    code = payment_json(replace(ONE, seller=replace(ONE.seller, address=address)))
    assert code is not None
    found = scanned(drawn(qr_svg(code)))
    assert found.text == code
    assert city in found.text
