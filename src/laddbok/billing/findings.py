"""Which field of an invoice is not as it must be, and whose field is it?

A finding is a value: the rule that was broken, whose field is to be mended, its path in the content of the document
(`model.invoice`), and words for the person who mends it.

>>> found = on_line(3, "BR-27", "unit_price", "priset är negativt", "the price is negative")
>>> found.field, found.text.en
('lines[2].unit_price', 'line 3: the price is negative')
"""

from enum import StrEnum

import msgspec

from laddbok.model.invoice import Invoice, Text


class Owner(StrEnum):
    """Whose data are to be mended."""

    SELLER = "seller"
    BUYER = "buyer"
    INVOICE = "invoice"


class FieldFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is missing or wrong. `id` is the seller's, the customer's, or the document's number."""

    rule: str
    """The official id of the rule, or ours, which begins with LADDBOK-."""
    owner: Owner
    id: str = ""
    field: str
    text: Text


def on_invoice(rule: str, field: str, sv: str, en: str) -> FieldFinding:
    """A finding about the document itself."""
    return FieldFinding(rule=rule, owner=Owner.INVOICE, field=field, text=Text(sv=sv, en=en))


def on_line(number: int, rule: str, field: str, sv: str, en: str) -> FieldFinding:
    """A finding about a line. Args: number, its place among the lines, from 1 on."""
    path = f"lines[{number - 1}]" + (f".{field}" if field else "")
    return on_invoice(rule, path, f"rad {number}: {sv}", f"line {number}: {en}")


def on_party(invoice: Invoice, owner: Owner, rule: str, field: str, sv: str, en: str) -> FieldFinding:
    """A finding about the seller or the customer, which are named in it."""
    party = invoice.seller if owner is Owner.SELLER else invoice.buyer
    who = Text(sv="Säljaren", en="Seller") if owner is Owner.SELLER else Text(sv="Kunden", en="Customer")
    name = party.name or party.id
    text = Text(sv=f"{who.sv} {name}: {sv}", en=f"{who.en} {name}: {en}")
    return FieldFinding(rule=rule, owner=owner, id=party.id, field=f"{owner.value}.{field}", text=text)
