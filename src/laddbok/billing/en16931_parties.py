"""How do seller and customer stand on an e-invoice?

Numbers stand in XML without dashes and blanks, whatever people typed: the organisation number with ten digits and scheme
0007, the VAT number as SE, organisation number, 01. A consumer's number is a person's and stays out.

>>> digits("556703-7485"), digits("SE 556703-7485 01")
('5567037485', 'SE556703748501')
"""

from laddbok.billing.ubl import Element, cac, cbc
from laddbok.model.invoice import Address, Buyer, BuyerKind, Endpoint, Seller

ORGANISATION_SCHEME = "0007"
"""Swedish organisation numbers. Source: ISO 6523 ICD and Peppol EAS code lists."""
F_SKATT = "GODKÄND FÖR F-SKATT"
"""Source: Peppol BIS Billing 3, SE-R-005."""


def digits(number: str) -> str:
    """A number as machines want it: without blanks, dashes and dots, in capitals."""
    return "".join(number.split()).replace("-", "").replace(".", "").upper()


def endpoint_of(seller: Seller) -> Endpoint | None:
    """Where the seller is on the network: as set, else its Swedish organisation number."""
    if seller.endpoint is not None or seller.address.country != "SE" or not seller.organisation_number:
        return seller.endpoint
    return Endpoint(ORGANISATION_SCHEME, digits(seller.organisation_number))


def seller_party(seller: Seller, *, taxable: bool) -> Element | None:
    """The seller [BG-4]. Args: taxable, whether VAT numbers may stand there (BR-O-02)."""
    return cac(
        "AccountingSupplierParty",
        cac(
            "Party",
            _endpoint(endpoint_of(seller)),  # BT-34
            _address(seller.address),  # BG-5
            _tax_scheme(digits(seller.vat_number), "VAT") if taxable else None,  # BT-31
            _tax_scheme(F_SKATT, "TAX") if seller.f_skatt and seller.address.country == "SE" else None,  # BT-32
            _legal_entity(seller.name, seller.organisation_number, seller.address),  # BT-27, BT-30
            _contact(seller.contact, seller.phone, seller.email),  # BG-6
        ),
    )


def buyer_party(buyer: Buyer, *, taxable: bool) -> Element | None:
    """The customer [BG-7]. Args: taxable, whether VAT numbers may stand there (BR-O-02)."""
    is_person = buyer.kind is BuyerKind.CONSUMER
    vat_number = digits(buyer.vat_number) if buyer.vat_number and taxable and not is_person else ""
    return cac(
        "AccountingCustomerParty",
        cac(
            "Party",
            _endpoint(buyer.endpoint),  # BT-49
            _address(buyer.address) if buyer.address else None,  # BG-8
            _tax_scheme(vat_number, "VAT"),  # BT-48
            _legal_entity(buyer.name, None if is_person else buyer.organisation_number, buyer.address),  # BT-44, BT-47
            _contact(None, None, buyer.email),  # BG-9
        ),
    )


def _endpoint(endpoint: Endpoint | None) -> Element | None:
    return cbc("EndpointID", endpoint.id, schemeID=endpoint.scheme) if endpoint else None


def _address(address: Address) -> Element | None:
    return cac(
        "PostalAddress",
        cbc("StreetName", address.street),  # BT-35, BT-50
        cbc("CityName", address.city),  # BT-37, BT-52
        cbc("PostalZone", address.postal_code),  # BT-38, BT-53
        cac("Country", cbc("IdentificationCode", address.country)),  # BT-40, BT-55
    )


def _tax_scheme(number: str, scheme: str) -> Element | None:
    if not number:
        return None
    return cac("PartyTaxScheme", cbc("CompanyID", number), cac("TaxScheme", cbc("ID", scheme)))


def _legal_entity(name: str, number: str | None, address: Address | None) -> Element | None:
    is_swedish = address is not None and address.country == "SE"
    scheme = {"schemeID": ORGANISATION_SCHEME} if is_swedish else {}
    company = cbc("CompanyID", digits(number) if is_swedish else number, **scheme) if number else None
    return cac("PartyLegalEntity", cbc("RegistrationName", name), company)


def _contact(name: str | None, phone: str | None, email: str | None) -> Element | None:
    return cac("Contact", cbc("Name", name), cbc("Telephone", phone), cbc("ElectronicMail", email))
