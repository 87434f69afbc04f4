"""What gets a driver who has no contract and paid at once?

A receipt over what was paid, a simplified invoice in its own series. It never comes to more than was paid: what the session
cost beyond that is taken off, before VAT, for the driver agreed to no more. Of a session for which nothing was paid there is
a claim, an invoice that is open. When the session is corrected, a credit note takes the receipt back to the driver's credit.

>>> from laddbok.billing.examples import OCTOBER, POSITION, SELLER
>>> made = receipt(SELLER, "session/AWQD", POSITION, OCTOBER, Decimal("50.00"))
>>> [str(line.net) for line in made.lines], str(made.totals.gross), str(made.totals.payable)
(['-13.24', '53.24'], '50.00', '0.00')
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from laddbok.billing.books import at_rate_of
from laddbok.billing.credit import Credits, down_to, remaining, to_credit
from laddbok.billing.draft import Period, draft
from laddbok.model.billing import Customer, Position, SellerTerms
from laddbok.model.errors import Invalid
from laddbok.model.invoice import Buyer, Invoice, InvoiceKind, InvoiceLine, Reference, Text, Unit, VatSum
from laddbok.model.money import from_minor, net_of, round_money, split, to_minor

NOT_CHARGED = Text(
    sv="Avgår: mer än det som godkändes, debiteras inte", en="Less: beyond what was agreed to, not charged"
)
NOT_PAID = Text(sv="Avgår: inte betalt, eller krediterat tidigare", en="Less: not paid, or credited before")
IS_CLAIM = Text(
    sv="Laddningen är inte betald: ingen betalning kom in, eller reservationen på kortet gick ut.",
    en="This session is not paid: no payment came in, or what was reserved on the card had lapsed.",
)
TOO_LARGE = Text(
    sv="Över gränsen för en förenklad faktura: ett företag som vill dra av momsen behöver en faktura med sitt namn.",
    en="Above the limit of a simplified invoice: a company that deducts the VAT needs an invoice in its name.",
)
PAID_BY = {"swish": Text(sv="Swish", en="Swish"), "bank": Text(sv="bank", en="bank")}
CARD = Text(sv="kort", en="card")


def driver(driver_id: str) -> Customer:
    """The buyer of whom nothing is known. Source: ML (2023:200) 17 kap. 28 §, which names no buyer."""
    return Customer(buyer=Buyer(id=driver_id, name="Förare utan avtal"))


def paid_by(provider: str, day: date) -> Text:
    """How and when it was paid.

    >>> paid_by("stripe", date(2026, 11, 3)).en
    'Paid by card on 2026-11-03.'
    """
    means = PAID_BY.get(provider, CARD)
    return Text(sv=f"Betalt med {means.sv} {day}.", en=f"Paid by {means.en} on {day}.")


def receipt(
    terms: SellerTerms, driver_id: str, position: Position, period: Period, paid: Decimal, note: Text | None = None
) -> Invoice:
    """The draft of a receipt over what was paid for a session.

    Args: paid, above 0 and at most what the session costs; note, what else is to be said.
    Raises: Invalid when the session can't be billed.
    Source: ML (2023:200) 17 kap. 28 § (simplified invoice) and 8 kap. (a reduction lowers the taxable amount); our choice for what is
        not charged, docs/rules.md "Receipt".
    """
    cost, paid = cost_of(position), round_money(paid, terms.currency)
    assert 0 < paid <= cost, (position.session_id, paid)
    drawn = draft(terms, driver(driver_id), [position], period, kind=InvoiceKind.RECEIPT)
    if paid < cost:
        less = tuple(_not_charged(drawn.vat, paid, terms.currency))
        drawn = draft(terms, driver(driver_id), [position], period, kind=InvoiceKind.RECEIPT, charges=less)
    notes = [note, TOO_LARGE if paid > terms.simplified_up_to else None]
    totals = replace(
        drawn.totals, prepaid=paid, rounding=paid - drawn.totals.gross, payable=from_minor(0, terms.currency)
    )
    return replace(drawn, totals=totals, note=_together([each for each in notes if each is not None]))


def claim(terms: SellerTerms, driver_id: str, position: Position, period: Period) -> Invoice:
    """The draft of an invoice for a session that nobody paid. Source: our choice, docs/rules.md "Receipt"."""
    return replace(draft(terms, driver(driver_id), [position], period), note=IS_CLAIM)


def correction(
    terms: SellerTerms,
    credits: Credits,
    positions: Sequence[Position],
    period: Period,
    reason: Text,
) -> Invoice:
    """The draft of the credit note that takes back what is left of a receipt or a claim, for its session was corrected.

    Args: credits, the document with the credit notes to it; positions, the credits of its CDRs.
    Source: ML (2023:200) 17 kap. 22 §; our choice, docs/rules.md "Receipt"; case B24.
    """
    document = credits.document
    assert document.number is not None
    refers_to = Reference(document.number, document.issue_date)
    customer = Customer(buyer=document.buyer)
    kind = InvoiceKind.CREDIT_NOTE
    note = draft(terms, customer, positions, period, kind=kind, refers_to=refers_to, reason=reason)
    less = down_to(remaining(document, credits.notes), note, NOT_PAID)
    if less:
        note = draft(terms, customer, positions, period, kind=kind, charges=less, refers_to=refers_to, reason=reason)
    return to_credit(document, credits.notes, at_rate_of(document, note))


def cost_of(position: Position) -> Decimal:
    """What a session costs with VAT, as it was shown. Raises: Invalid when its VAT is not known."""
    if position.rating.incl_vat is None:
        raise Invalid(f"session {position.session_id}", "its VAT is not known")
    return position.rating.incl_vat


def _not_charged(sums: Sequence[VatSum], paid: Decimal, currency: str) -> Iterator[InvoiceLine]:
    """What takes a document down to what was paid: of each rate of VAT as much as its share."""
    grosses = [max(0, to_minor(each.net + each.vat, currency)) for each in sums]
    beside = sum(to_minor(each.net + each.vat, currency) for each in sums) - sum(grosses)
    due = to_minor(paid, currency) - beside
    parts = split(due, [due * gross for gross in grosses], sum(grosses))
    for each, gross, part in zip(sums, grosses, parts, strict=True):
        net = each.net - net_of(from_minor(part, currency), each.rate.percent, currency)
        if gross and net > 0:
            yield InvoiceLine(
                number=0, text=NOT_CHARGED, quantity=Decimal(-1), unit=Unit.ONE, unit_price=net, net=-net, vat=each.rate
            )


def _together(texts: Sequence[Text]) -> Text | None:
    return Text(sv=" ".join(each.sv for each in texts), en=" ".join(each.en for each in texts)) if texts else None
