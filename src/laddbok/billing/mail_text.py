"""What does the mail say that brings a document?

What it is, from whom, how much is to be paid until when and under which reference, where the customer sees all of it, and who
answers. In the customer's language, as plain text; the document itself is the PDF.

>>> from laddbok.billing.examples import FINAL
>>> text = invoice_text(FINAL, "https://laddning.example/receipt/abc")
>>> print(text.subject)
Faktura 20260000007 från Norrladd AB
>>> print(text.body)
Hej!
<BLANKLINE>
Här kommer faktura 20260000007. Betala 66,55 kr senast den 3 december 2026 till bankgiro 991-2346, OCR-nummer 2026000000730.
<BLANKLINE>
Se den, eller säg till om något är fel:
https://laddning.example/receipt/abc
<BLANKLINE>
Frågor? Svara på det här mejlet.
Norrladd AB
<BLANKLINE>
"""

import msgspec

from laddbok.billing.page_text import FIXED, day_text, language_of, money_text
from laddbok.billing.page_words import TITLES, said
from laddbok.billing.payment_qr import account_of
from laddbok.model.invoice import Invoice, InvoiceKind, Seller, Text
from laddbok.model.reminder import Reminder

_SUBJECT = Text(sv="{what} {number} från {sender}", en="{what} {number} from {sender}")
_REMINDER_SUBJECT = Text(sv="Påminnelse: faktura {number} från {sender}", en="Reminder: invoice {number} from {sender}")
_HELLO = Text(sv="Hej!", en="Hello,")
_HERE = Text(sv="Här kommer {what} {number}.", en="Here is {what} {number}.")
_NOT_PAID = Text(
    sv="Faktura {number} av den {day} är inte helt betald. Påminnelsen ligger i den bifogade filen.",
    en="Invoice {number} of {day} is not paid in full. The reminder is in the file attached.",
)
_PAY = Text(sv="Betala {sum} senast den {day}{how}.", en="Please pay {sum} by {day}{how}.")
_TO = Text(sv=" till {account}", en=" to {account}")
_UNDER = Text(sv=", OCR-nummer {reference}", en=", payment reference (OCR) {reference}")
_NOTHING_TO_PAY = Text(sv="Ingenting ska betalas.", en="Nothing is to be paid.")
_WE_PAY = Text(sv="Vi betalar ut {sum} senast den {day}.", en="We pay {sum} out by {day}.")
_CREDITED = Text(sv="{sum} krediteras.", en="{sum} is credited.")
_LINK = Text(sv="Se den, eller säg till om något är fel:", en="Look at it, or tell us if something is wrong:")
_QUESTIONS = Text(sv="Frågor? Svara på det här mejlet.", en="Questions? Just answer this mail.")


class MailText(msgspec.Struct, frozen=True):
    """Subject and body, in plain text."""

    subject: str
    body: str


def invoice_text(invoice: Invoice, link: str | None) -> MailText:
    """The words with an invoice, credit note or self-billed invoice. Args: link, of its page.

    Source: our choice, docs/rules.md "Mail".
    """
    language, number = language_of(invoice.buyer.language), invoice.number or ""
    title = said(TITLES[invoice.kind], language)
    sender = (invoice.buyer if invoice.kind is InvoiceKind.SELF_BILLED else invoice.seller).name
    here = said(_HERE, language).format(what=title[0].lower() + title[1:], number=number)
    subject = said(_SUBJECT, language).format(what=title, number=number, sender=sender)
    return _text(subject, f"{here} {_what_follows(invoice, language)}", link, sender, language)


def reminder_text(reminder: Reminder, link: str | None) -> MailText:
    """The words with a reminder. Source: our choice, docs/rules.md "Mail"."""
    language, sender = language_of(reminder.buyer.language), reminder.seller.name
    subject = said(_REMINDER_SUBJECT, language).format(number=reminder.invoice_number, sender=sender)
    issued = day_text(reminder.invoice_date, language)
    late = said(_NOT_PAID, language).format(number=reminder.invoice_number, day=issued)
    total = money_text(reminder.total, reminder.currency, language)
    how = _how(reminder.seller, reminder.payment_reference, language)
    pay = said(_PAY, language).format(sum=total, day=day_text(reminder.pay_by, language), how=how)
    return _text(subject, f"{late} {pay}", link, sender, language)


def _what_follows(invoice: Invoice, language: str) -> str:
    payable = invoice.totals.payable
    told = {
        "sum": money_text(payable, invoice.currency, language),
        "day": day_text(invoice.due_date, language),
        "how": _how(invoice.seller, invoice.payment_reference, language),
    }
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        return said(_CREDITED, language).format(**told)
    if payable <= 0:
        return said(_NOTHING_TO_PAY, language)
    return said(_WE_PAY if invoice.kind is InvoiceKind.SELF_BILLED else _PAY, language).format(**told)


def _how(seller: Seller, reference: str | None, language: str) -> str:
    account = account_of(seller)
    names = {"BG": "bankgiro", "IBAN": "IBAN"}
    to = said(_TO, language).format(account=f"{names[account['pt']]} {account['acc']}") if account else ""
    return to + (said(_UNDER, language).format(reference=reference) if reference else "")


def _text(subject: str, what: str, link: str | None, sender: str, language: str) -> MailText:
    parts = [said(_HELLO, language), what]
    parts += [f"{said(_LINK, language)}\n{link}"] if link else []
    parts.append(f"{said(_QUESTIONS, language)}\n{sender}\n")
    return MailText(_one_line(subject), "\n\n".join(parts).replace(FIXED, " "))


def _one_line(text: str) -> str:
    """A name with a line break in it must not become a header of its own."""
    return " ".join(text.split())
