"""What must be mended before a customer can get an e-invoice?

The official rules speak of elements; this speaks of the fields of the customer and the seller, before the official rules run
(`missing`), and of what these found (`in_our_words`, with the table `einvoice_fields.FIELDS`).

>>> from msgspec.structs import replace
>>> from laddbok.billing.examples import FINAL
>>> missing(FINAL)
()
>>> without = replace(FINAL, buyer=replace(FINAL.buyer, buyer_reference=None))
>>> [(each.rule, each.field, each.text.en) for each in missing(without)]
[('PEPPOL-EN16931-R003', 'buyer.buyer_reference', 'Customer Bageriet i Backen AB: has neither a reference nor an order number')]
"""

import re
from collections.abc import Iterator

from stdnum import ean, iban, luhn
from stdnum.se import orgnr, vat

from laddbok.billing.einvoice_fields import FIELDS
from laddbok.billing.en16931_parties import ORGANISATION_SCHEME, digits, endpoint_of
from laddbok.billing.findings import FieldFinding, Owner, on_invoice, on_line, on_party
from laddbok.model.invoice import Address, Buyer, BuyerKind, Endpoint, Invoice, InvoiceKind, Seller

SWEDISH_RATES = (6, 12, 25)
GLN_SCHEME = "0088"
_SCHEME = re.compile(r"\d{4}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_LINE = re.compile(r"(?:Invoice|CreditNote)Line\[(\d+)\]")


def missing(invoice: Invoice) -> tuple[FieldFinding, ...]:
    """The fields of the seller and the customer that an e-invoice can't do without, or that are wrong.

    The amounts are `check.check`'s. Nothing found is no promise: the official rules have the last word.
    Source: Peppol BIS Billing 3, PEPPOL-EN16931-R003, -R010, -R020, PEPPOL-COMMON-R040, -R049, SE-R-001 to SE-R-013;
        EN 16931 BR-06 to BR-11, BR-61, BR-AE-02, BR-CO-09.
    """
    return (*_of_seller(invoice), *_of_buyer(invoice))


def in_our_words(invoice: Invoice, rule: str, location: str, message: str) -> FieldFinding:
    """An official finding, as a finding about a field; the official message stands in it where we have no words.

    Args: location, the path in the XML, which tells the line.
    """
    at_line = _LINE.search(location)
    if rule not in FIELDS:
        sv, en = f"bryter mot {rule}: {message}", f"breaks {rule}: {message}"
        return on_line(int(at_line[1]), rule, "", sv, en) if at_line else on_invoice(rule, "", sv, en)
    owner, field, sv, en = FIELDS[rule]
    if rule in _OF_BOTH and "AccountingCustomerParty" in location:
        owner = Owner.BUYER
    if rule == "PEPPOL-COMMON-R049" and "EndpointID" in location:
        field = "endpoint"
    if owner is not Owner.INVOICE:
        return on_party(invoice, owner, rule, field, sv, en)
    return on_line(int(at_line[1]), rule, field, sv, en) if at_line else on_invoice(rule, field, sv, en)


_OF_BOTH = frozenset(
    {"BR-CO-09", "PEPPOL-COMMON-R040", "PEPPOL-COMMON-R049", "PEPPOL-EN16931-CL008", "BR-CL-14", "BR-CL-25"}
)
"""Rules that hold for both parties alike; the location tells whose field it is."""


def _of_seller(invoice: Invoice) -> Iterator[FieldFinding]:
    seller = invoice.seller
    is_swedish = seller.address.country == "SE"
    if not seller.name.strip():
        yield _named(invoice, "BR-06")
    yield from _address(invoice, Owner.SELLER, seller.address)
    yield from _endpoint(invoice, Owner.SELLER, endpoint_of(seller), "PEPPOL-EN16931-R020")
    if is_swedish and not orgnr.is_valid(seller.organisation_number):
        yield _named(invoice, "SE-R-013")
    if is_swedish and not _is_swedish_vat(seller.vat_number):
        yield _named(invoice, "SE-R-001")
    if not is_swedish and not _COUNTRY.match(digits(seller.vat_number)):
        yield _named(invoice, "BR-CO-09")
    if is_swedish:
        yield from _rates(invoice)
    yield from _accounts(invoice, seller)


def _accounts(invoice: Invoice, seller: Seller) -> Iterator[FieldFinding]:
    """Where the customer is to pay: a bankgiro or an account, each with right check digits."""
    if (
        invoice.totals.payable > 0
        and invoice.kind is not InvoiceKind.CREDIT_NOTE
        and not (seller.bankgiro or seller.iban)
    ):
        yield _named(invoice, "BR-61")
    if seller.bankgiro and not is_bankgiro(seller.bankgiro):
        yield _named(invoice, "SE-R-009")
    if seller.iban and not iban.is_valid(seller.iban):
        sv, en = "IBAN är fel", "the IBAN is wrong"
        yield on_party(invoice, Owner.SELLER, "LADDBOK-IBAN", "iban", sv, en)


def is_bankgiro(number: str) -> bool:
    """Whether a bankgiro number has 7 or 8 digits and the right check digit.

    >>> is_bankgiro("991-2346"), is_bankgiro("5050-1055"), is_bankgiro("991-2345")
    (True, True, False)
    """
    plain = digits(number)
    return len(plain) in (7, 8) and plain.isdecimal() and luhn.is_valid(plain)


def _rates(invoice: Invoice) -> Iterator[FieldFinding]:
    for place, line in enumerate(invoice.lines, 1):
        if line.vat.category == "S" and line.vat.percent not in SWEDISH_RATES:
            _, field, sv, en = FIELDS["SE-R-006"]
            yield on_line(place, "SE-R-006", field, sv, en)


def _of_buyer(invoice: Invoice) -> Iterator[FieldFinding]:
    buyer = invoice.buyer
    if not buyer.name.strip():
        yield _named(invoice, "BR-07")
    if buyer.address is None:
        yield _named(invoice, "BR-10")
    else:
        yield from _address(invoice, Owner.BUYER, buyer.address)
    yield from _endpoint(invoice, Owner.BUYER, buyer.endpoint, "PEPPOL-EN16931-R010")
    if not (buyer.buyer_reference or "").strip() and not (buyer.order_reference or "").strip():
        yield _named(invoice, "PEPPOL-EN16931-R003")
    yield from _numbers(invoice, buyer)


def _numbers(invoice: Invoice, buyer: Buyer) -> Iterator[FieldFinding]:
    is_swedish = buyer.address is not None and buyer.address.country == "SE"
    is_reverse = any(each.rate.category == "AE" for each in invoice.vat)
    if buyer.kind is BuyerKind.CONSUMER:
        if is_reverse:
            sv, en = "omvänd betalningsskyldighet gäller inte konsumenter", "a consumer can't have reverse charge"
            yield on_party(invoice, Owner.BUYER, "BR-AE-02", "kind", sv, en)
        return
    if buyer.organisation_number and is_swedish and not orgnr.is_valid(buyer.organisation_number):
        yield _named(invoice, "PEPPOL-COMMON-R049", Owner.BUYER)
    if buyer.vat_number and not _COUNTRY.match(digits(buyer.vat_number)):
        yield _named(invoice, "BR-CO-09", Owner.BUYER)
    elif buyer.vat_number and digits(buyer.vat_number).startswith("SE") and not _is_swedish_vat(buyer.vat_number):
        sv, en = "momsregistreringsnumret är fel", "the VAT number is wrong"
        yield on_party(invoice, Owner.BUYER, "LADDBOK-VAT-NUMBER", "vat_number", sv, en)
    if is_reverse and not buyer.vat_number and not buyer.organisation_number:
        yield _named(invoice, "BR-AE-02")


def _is_swedish_vat(number: str) -> bool:
    return digits(number).startswith("SE") and vat.is_valid(digits(number))


def _address(invoice: Invoice, owner: Owner, address: Address) -> Iterator[FieldFinding]:
    """The law wants name and address; the country decides which rules hold."""
    words = {"street": ("gata", "street"), "postal_code": ("postnummer", "postal code"), "city": ("ort", "city")}
    for name, (sv, en) in words.items():
        if not getattr(address, name).strip():
            rule, path = "LADDBOK-ADDRESS", f"address.{name}"
            yield on_party(invoice, owner, rule, path, f"adressen saknar {sv}", f"the address has no {en}")
    if not _COUNTRY.fullmatch(address.country):
        rule = "BR-09" if owner is Owner.SELLER else "BR-11"
        yield _named(invoice, rule)


def _endpoint(invoice: Invoice, owner: Owner, endpoint: Endpoint | None, rule: str) -> Iterator[FieldFinding]:
    if endpoint is None or not endpoint.id.strip():
        yield _named(invoice, rule)
    elif not _SCHEME.fullmatch(endpoint.scheme):
        yield _named(invoice, "PEPPOL-EN16931-CL008", owner)
    elif endpoint.scheme == ORGANISATION_SCHEME and not (endpoint.id.isdecimal() and orgnr.is_valid(endpoint.id)):
        sv, en = (
            "Peppol-id är inget organisationsnummer med tio siffror",
            "the Peppol id is no organisation number of ten digits",
        )
        yield on_party(invoice, owner, "PEPPOL-COMMON-R049", "endpoint", sv, en)
    elif endpoint.scheme == GLN_SCHEME and not (len(endpoint.id) == 13 and ean.is_valid(endpoint.id)):
        yield _named(invoice, "PEPPOL-COMMON-R040", owner)


def _named(invoice: Invoice, rule: str, owner: Owner | None = None) -> FieldFinding:
    """A finding with the words of the table."""
    of_table, field, sv, en = FIELDS[rule]
    return on_party(invoice, owner or of_table, rule, field, sv, en)
