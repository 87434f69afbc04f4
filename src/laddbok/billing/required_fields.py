"""Does a document tell what the law wants of it?

Asked of every document, whoever receives it and however. What every document has by its making (day, number, lines, rates,
amounts) is not asked here, nor whether it adds up (`check.check`). A company's or an authority's name and address must be
there; a consumer's name. A receipt is a simplified invoice and needs no customer.

>>> from msgspec.structs import replace
>>> from laddbok.billing.examples import FINAL
>>> required(FINAL)
()
>>> [each.text.en for each in required(replace(FINAL, buyer=replace(FINAL.buyer, address=None)))]
['Customer Bageriet i Backen AB: has no address']
"""

from collections.abc import Iterator

from laddbok.billing.en16931_lines import OUTSIDE_VAT
from laddbok.billing.findings import FieldFinding, Owner, on_party
from laddbok.model.invoice import Address, BuyerKind, Invoice, InvoiceKind

LAW = "ML-17-24"
"""ML (2023:200) 17 kap. 24 §; for receipts 28 §."""


def required(invoice: Invoice) -> tuple[FieldFinding, ...]:
    """The fields of the law that the seller or the customer lacks.

    Source: ML (2023:200) 17 kap. 24 § and 28 §.
    """
    buyer = () if invoice.kind is InvoiceKind.RECEIPT else _of_buyer(invoice)
    return (*_of_seller(invoice), *buyer)


def _of_seller(invoice: Invoice) -> Iterator[FieldFinding]:
    seller = invoice.seller
    if not seller.name.strip():
        yield _lacks(invoice, Owner.SELLER, "name", "namn saknas", "has no name")
    if not seller.vat_number.strip() and any(each.rate.category != OUTSIDE_VAT for each in invoice.vat):
        sv, en = "momsregistreringsnummer saknas", "has no VAT number"
        yield _lacks(invoice, Owner.SELLER, "vat_number", sv, en)
    yield from _address(invoice, Owner.SELLER, seller.address)


def _of_buyer(invoice: Invoice) -> Iterator[FieldFinding]:
    buyer = invoice.buyer
    if not buyer.name.strip():
        yield _lacks(invoice, Owner.BUYER, "name", "namn saknas", "has no name")
    if buyer.kind is not BuyerKind.CONSUMER:
        yield from _address(invoice, Owner.BUYER, buyer.address)
    if not (buyer.vat_number or "").strip() and any(each.rate.category == "AE" for each in invoice.vat):
        sv, en = "omvänd betalningsskyldighet kräver momsregistreringsnummer", "reverse charge needs a VAT number"
        yield _lacks(invoice, Owner.BUYER, "vat_number", sv, en)


def _address(invoice: Invoice, owner: Owner, address: Address | None) -> Iterator[FieldFinding]:
    if address is None:
        yield _lacks(invoice, owner, "address", "adress saknas", "has no address")
        return
    words = {"street": ("gata", "street"), "postal_code": ("postnummer", "postal code"), "city": ("ort", "city")}
    for name, (sv, en) in words.items():
        if not getattr(address, name).strip():
            yield _lacks(invoice, owner, f"address.{name}", f"adressen saknar {sv}", f"the address has no {en}")


def _lacks(invoice: Invoice, owner: Owner, field: str, sv: str, en: str) -> FieldFinding:
    return on_party(invoice, owner, LAW, field, sv, en)
