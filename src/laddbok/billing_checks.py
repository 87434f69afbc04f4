"""What is asked of a document before it gets its number?

Our own arithmetic and the fields of the law, always; of a customer who receives e-invoices also the official rules, with a
number of the right shape. Without those rules, or what runs them, such a document is in the way by name; others go on.
"""

from collections.abc import Sequence
from pathlib import Path

from laddbok.billing.check import check
from laddbok.billing.findings import FieldFinding
from laddbok.billing.freeze import Series, numbered
from laddbok.billing.required_fields import required
from laddbok.flow.billing_run import InTheWay, Planned
from laddbok.flow.documents import SENT
from laddbok.model.errors import LaddbokError
from laddbok.model.invoice import Invoice, Text
from laddbok.wires.einvoice_check import einvoice_findings
from laddbok.wires.einvoice_rules import official_rules

_ANY_SERIES = Series(prefix="9", next_number=1)
"""A number of the right shape, to be checked under."""


class DocumentChecks:
    """All checks; `rules` is the folder of the official ones."""

    def __init__(self, rules: Path) -> None:
        self._rules = rules

    def __call__(self, planned: Planned) -> Sequence[InTheWay]:
        """What is in the way of a document: which field of whom is to be mended; nothing when it may become final."""
        document, customer = numbered(planned.invoice, _ANY_SERIES), planned.customer
        findings = (*check(document), *required(document))
        if not findings and customer.e_invoice and document.kind in SENT:
            try:
                findings = einvoice_findings(document, official_rules(self._rules))
            except LaddbokError as error:
                return [InTheWay(customer.buyer.id, "e_invoice", str(error))]
        return [_in_the_way(each, document) for each in findings]


def _in_the_way(finding: FieldFinding, document: Invoice) -> InTheWay:
    text = Text(sv=f"{finding.text.sv} ({finding.rule})", en=f"{finding.text.en} ({finding.rule})")
    return InTheWay(document.buyer.id, finding.field, text.en, text)
