"""How does a frozen document become its PDF and its e-invoice?

    frozen content --to_ubl--> e-invoice --invoice_pdf--> PDF with the e-invoice inside

Both are made of the content and nothing else; the words of its price lines are those of rating, as everywhere. Who receives
e-invoices is asked when a document is first rendered; from then on what is stored says whether there is one.
"""

from hashlib import sha256

import msgspec

from laddbok.billing.en16931_xml import to_ubl
from laddbok.billing.pdf import invoice_pdf
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.rating.explain import told

SENT = frozenset({InvoiceKind.INVOICE, InvoiceKind.CREDIT_NOTE, InvoiceKind.SELF_BILLED})
"""The kinds of documents that are sent to somebody, also as e-invoices; a receipt is shown where it is paid."""


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A document as people and systems receive it; no `xml`: it is no e-invoice; `is_sent`: it goes to somebody."""

    pdf: bytes
    xml: bytes | None = None
    is_sent: bool = True

    @property
    def files(self) -> dict[str, bytes]:
        """Each by its kind, "pdf" or "xml"."""
        return {"pdf": self.pdf} if self.xml is None else {"pdf": self.pdf, "xml": self.xml}

    @property
    def hashes(self) -> dict[str, bytes]:
        """The SHA-256 of each by its kind."""
        return {kind: sha256(file).digest() for kind, file in self.files.items()}


def rendered(invoice: Invoice, *, e_invoice: bool) -> Rendered:
    """The files of a document.

    Args: e_invoice, whether it is sent as one; a receipt never is.
    Raises: Invalid for a draft that is to be one, or a character that XML can't hold.
    Source: docs/rules.md "Documents".
    """
    xml = to_ubl(invoice) if e_invoice and invoice.kind in SENT else None
    return Rendered(pdf=invoice_pdf(invoice, told, xml), xml=xml, is_sent=invoice.kind in SENT)
