"""Which code does a banking app read from an invoice?

The payment as JSON by UsingQR, as a QR code: who is paid, how much, when, to which account, under which reference. The code
is one filled outline, so that no viewer draws seams in it.

>>> from laddbok.billing.examples import FINAL
>>> print(payment_json(FINAL))
{"uqr":1,"tp":1,"nme":"Norrladd AB","cc":"SE","cid":"556036-0793","iref":"2026000000730","idt":"20261103","ddt":"20261203",\
"due":66.55,"vat":13.31,"cur":"SEK","pt":"BG","acc":"991-2346","adr":"903 26 Umeå"}
"""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from laddbok.model.invoice import Invoice, InvoiceKind, Seller

INVOICE = 1
QUIET_ZONE = 4
"""Modules of nothing around the code. Source: ISO/IEC 18004, 6.3.8."""
MASK = 2
"""The code itself tells a reader which of the eight masks it bears; to try them all for the best takes half a millisecond."""
_DARK = re.compile(rb"\x01+")
_DARK_IS_1 = bytes([1]) + bytes(255)
"""Of shades of grey, from black."""
_encode = msgspec.json.Encoder(decimal_format="number").encode


def payment_json(invoice: Invoice) -> str | None:
    """What the code says; None when there is nothing to be paid to us, or no account to pay it to.

    Source: UsingQR, format specification revision 2.
    """
    if invoice.kind is not InvoiceKind.INVOICE:
        return None
    reference = invoice.payment_reference or invoice.number
    days = (invoice.issue_date, invoice.due_date)
    return asked(invoice.seller, reference, days, invoice.totals.payable, invoice.currency, vat=invoice.totals.vat)


def asked(
    seller: Seller, reference: str | None, days: tuple[date, date], due: Decimal, currency: str, vat: Decimal | None = None
) -> str | None:  # fmt: skip
    """What the code of any payment to a seller says. Args: days, of issue and to pay by; vat, None: it is not told."""
    account = account_of(seller)
    if due <= 0 or account is None:
        return None
    told = {
        "uqr": 1,
        "tp": INVOICE,
        "nme": seller.name,
        "cc": seller.address.country,
        "cid": organisation_text(seller.organisation_number),
        "iref": reference,
        "idt": f"{days[0]:%Y%m%d}",
        "ddt": f"{days[1]:%Y%m%d}",
        "due": due,
        **({} if vat is None else {"vat": vat}),
        "cur": currency,
        **account,
        "adr": f"{seller.address.postal_code} {seller.address.city}",
    }
    return _encode(told).decode()


def account_of(seller: Seller) -> dict[str, str] | None:
    """Where a seller is paid: bankgiro before IBAN."""
    if seller.bankgiro:
        return {"pt": "BG", "acc": bankgiro_text(seller.bankgiro)}
    if seller.iban:
        return {"pt": "IBAN", "acc": seller.iban.replace(" ", ""), **({"bc": seller.bic} if seller.bic else {})}
    return None


def qr_matrix(text: str) -> tuple[bytes, ...]:
    """The modules of the code, row by row: 1 is dark. Where a letter is not of ASCII, the code says that it is UTF-8.

    Source: ISO/IEC 18004, 7.3.2 (ECI); error correction of level M.
    """
    import zxingcpp

    how = {"ec_level": "M", "data_mask": MASK} | ({} if text.isascii() else {"eci": "UTF-8"})
    image: Any = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, **how).to_image(add_quiet_zones=False)
    shades = memoryview(image)
    modules, wide = shades.tobytes().translate(_DARK_IS_1), len(shades)
    return tuple(modules[at : at + wide] for at in range(0, len(modules), wide))


def qr_svg(text: str) -> str:
    """The code as a picture: one outline, a rectangle for each run of dark modules."""
    rows = qr_matrix(text)
    size = len(rows) + 2 * QUIET_ZONE
    rest = [f"h{width}v1h-{width}z" for width in range(size)]
    spans = ((y, *run.span()) for y, row in enumerate(rows, QUIET_ZONE) for run in _DARK.finditer(row))
    runs = "".join([f"M{start + QUIET_ZONE} {y}{rest[end - start]}" for y, start, end in spans])
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><path d="{runs}"/></svg>'


def organisation_text(number: str) -> str:
    """A Swedish organisation number as it is written; another one as it is.

    >>> organisation_text("5560360793"), organisation_text("DE123")
    ('556036-0793', 'DE123')
    """
    return f"{number[:6]}-{number[6:]}" if number.isdigit() and len(number) == 10 else number


def bankgiro_text(number: str) -> str:
    """A bankgiro number with its dash: 991-2346, 5050-1055."""
    return f"{number[:-4]}-{number[-4:]}" if number.isdigit() and len(number) in (7, 8) else number
