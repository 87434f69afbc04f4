"""May this invoice go out as an e-invoice?

Asked of every customer who receives e-invoices before a document gets its number, with a number of the right shape in its
place: our arithmetic, then the fields that are missing, and only for a document that passes these the official rules,
whose findings are said in our words. Nothing found means that every layer of the rules ran and found nothing to refuse.
"""

from laddbok.billing.check import check
from laddbok.billing.einvoice_findings import in_our_words, missing
from laddbok.billing.en16931_xml import to_ubl
from laddbok.billing.findings import FieldFinding, on_invoice
from laddbok.model.errors import Invalid
from laddbok.model.invoice import Invoice
from laddbok.wires.einvoice_rules import OfficialRules


def einvoice_findings(invoice: Invoice, rules: OfficialRules) -> tuple[FieldFinding, ...]:
    """What must be mended before the document can be an e-invoice: nothing, when it may be sent.

    Raises: EinvoiceRulesMissing, EinvoiceRulesFailed: nothing is known of the document then.
    Source: our choice, docs/rules.md "E-invoice".
    """
    if found := (*check(invoice), *missing(invoice)):
        return found
    try:
        xml = to_ubl(invoice)
    except Invalid as error:
        return (on_invoice("LADDBOK-CHARACTER", error.field, error.reason, error.reason),)
    errors = rules.check(xml).errors
    return tuple(in_our_words(invoice, each.rule, each.location, each.message) for each in errors)
