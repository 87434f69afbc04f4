"""How does the page of an invoice look that its customer opens without a log-in?

One short page in the customer's language, without scripts: what is to be paid, each session with its price in words, the
document as a file, and what they don't agree with. It names nobody and leads nowhere else.
"""

from collections.abc import Iterator
from decimal import Decimal
from html import escape
from zoneinfo import ZoneInfo

from laddbok.api.disputes import DisputeView
from laddbok.billing.dispute import MAX_REASON_CHARS
from laddbok.billing.page_text import day_text, kwh_text, money_text, period_text, span_text
from laddbok.model.invoice import Invoice, InvoiceKind, SessionItem
from laddbok.model.rated import LineKind, RatedLine
from laddbok.rating.explain import explain, name

_LIMITS = (LineKind.FLOOR, LineKind.MIN_PRICE, LineKind.MAX_PRICE)
MAX_LINES = 12
"""Of one session that are told one by one; a spot price has one for each quarter of an hour."""

WORDS = {
    "sv": {
        "invoice": "Faktura {}", "credit_note": "Kreditfaktura {}", "receipt": "Kvitto {}", "self_billed": "Självfaktura {}",
        "from": "från {}", "to_pay": "Att betala", "total": "Summa", "due": "Förfaller", "reference": "OCR", "bankgiro": "Bankgiro",
        "sessions": "Laddningar", "pdf": "Fakturan som PDF", "vat": "varav moms {}", "sum_note":
        "Momsen räknas på summan, så laddningarnas belopp kan skilja sig från den med några ören.",
        "lines": "{} prisrader, från {} till {}", "register": "Mätaren: {} till {} kWh", "wrong": "Stämmer något inte?",
        "wrong_lead": "Skriv vad. Vi svarar senast om två veckor, och påminner inte om fakturan så länge.",
        "receipt_wrong_lead": "Skriv vad. Vi svarar senast om två veckor.", "receipt_all": "Hela kvittot",
        "about": "Det gäller", "all": "Hela fakturan", "reason": "Vad stämmer inte?", "send": "Skicka",
        "opened": "Din invändning är mottagen {}. Vi svarar senast {}.", "accepted": "Vi ger dig rätt.",
        "rejected": "Vi har granskat den och håller fast vid beloppet.", "you": "Du skrev", "we": "Vårt svar",
        "gone": "Sidan finns inte", "gone_lead": "Länken är fel eller gäller inte längre. Hör av dig till den som skickade den.",
        "again": "Tillbaka", "not_taken": "Det gick inte att skicka", "reverse": "Tillgodo", "nothing_due": "Inget att betala",
        "paid": "Betalt", "not_charged": "Laddningen kostade {}. Mer än det som godkändes debiteras inte.", "receipt_pdf": "Kvittot som PDF",
    },
    "en": {
        "invoice": "Invoice {}", "credit_note": "Credit note {}", "receipt": "Receipt {}", "self_billed": "Self-billed invoice {}",
        "from": "from {}", "to_pay": "To pay", "total": "Total", "due": "Due", "reference": "OCR", "bankgiro": "Bankgiro",
        "sessions": "Charging sessions", "pdf": "The invoice as a PDF", "vat": "of which VAT {}", "sum_note":
        "VAT is computed on the sum, so the amounts of the sessions may differ from it by some öre.",
        "lines": "{} price lines, from {} to {}", "register": "Meter: {} to {} kWh", "wrong": "Is something wrong?",
        "wrong_lead": "Tell us what. We answer within two weeks, and don't remind you of the invoice meanwhile.",
        "receipt_wrong_lead": "Tell us what. We answer within two weeks.", "receipt_all": "All of the receipt",
        "about": "It is about", "all": "All of the invoice", "reason": "What is wrong?", "send": "Send",
        "opened": "We got your objection on {}. We answer by {}.", "accepted": "We agree with you.",
        "rejected": "We have looked at it and stand by the amount.", "you": "You wrote", "we": "Our answer",
        "gone": "There is no such page", "gone_lead": "The link is wrong or does not hold any more. Ask whoever sent it to you.",
        "again": "Back", "not_taken": "It could not be sent", "reverse": "To your credit", "nothing_due": "Nothing to pay",
        "paid": "Paid", "not_charged": "The session cost {}. What is beyond what was agreed to is not charged.", "receipt_pdf": "The receipt as a PDF",
    },
}  # fmt: skip


def receipt_page(
    invoice: Invoice,
    disputes: list[DisputeView],
    open_amount: Decimal,
    *,
    has_pdf: bool,
    zone: str,
    language: str,
    path: str,
) -> str:
    """The page of one document.

    Args: open_amount, what is left to pay by the books; zone, in which days are told; path, where the page is.
    """
    words = WORDS[language]
    pdf = "receipt_pdf" if invoice.kind is InvoiceKind.RECEIPT else "pdf"
    parts = [
        *_head(invoice, open_amount, language),
        *([f'<p><a class="button" href="{escape(path)}/pdf">{words[pdf]}</a></p>'] if has_pdf else []),
        *_sessions(invoice, language),
        *(_dispute(each, zone, language) for each in disputes),
        *(_form(invoice, path, language) if _may_dispute(invoice, disputes) else []),
    ]
    return page(title_of(invoice, language), parts, language, switch=path)


def page(title: str, parts: list[str], language: str, switch: str | None = None) -> str:
    """A whole document of HTML."""
    other = "en" if language == "sv" else "sv"
    link = f'<a lang="{other}" href="{escape(switch)}?language={other}">{_LANGUAGES[other]}</a>' if switch else ""
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        '<link rel="icon" href="/favicon.svg" type="image/svg+xml"><link rel="stylesheet" href="/style/base.css">'
        '<link rel="stylesheet" href="/style/receipt.css"></head>'
        f'<body><main class="receipt">{"".join(parts)}<footer>{link}</footer></main></body></html>'
    )


_LANGUAGES = {"sv": "Svenska", "en": "English"}


def title_of(invoice: Invoice, language: str) -> str:
    """What the document is called."""
    return WORDS[language][invoice.kind.value].format(invoice.number)


_LABELS = {InvoiceKind.INVOICE: "nothing_due", InvoiceKind.RECEIPT: "paid"}


def _head(invoice: Invoice, open_amount: Decimal, language: str) -> Iterator[str]:
    words, totals = WORDS[language], invoice.totals
    is_owed = invoice.kind is InvoiceKind.INVOICE and open_amount > 0
    label = words["to_pay" if is_owed else _LABELS.get(invoice.kind, "total")]
    amount = open_amount if is_owed else totals.prepaid or totals.gross
    period = period_text(invoice.period_start, invoice.period_end, language)
    yield f"<header><p class=soft>{escape(words['from'].format(invoice.seller.name))}</p>"
    yield f"<h1>{escape(title_of(invoice, language))}</h1><p class=soft>{period}</p></header>"
    yield f"<section class=sum><p>{label}</p><p class=amount>{_money(amount, invoice.currency, language)}</p>"
    yield f"<p class=soft>{words['vat'].format(_money(totals.vat, invoice.currency, language))}</p>"
    if is_owed:
        yield f"<dl><div><dt>{words['due']}</dt><dd>{day_text(invoice.due_date, language)}</dd></div>"
        for name, value in (("bankgiro", invoice.seller.bankgiro), ("reference", invoice.payment_reference)):
            if value:
                yield f"<div><dt>{words[name]}</dt><dd>{escape(value)}</dd></div>"
        yield "</dl>"
    yield "</section>"


def _sessions(invoice: Invoice, language: str) -> Iterator[str]:
    words = WORDS[language]
    if not invoice.sessions:
        return
    yield f"<section><h2>{words['sessions']}</h2><ul>"
    for item in invoice.sessions:
        yield from _session(item, invoice.currency, language)
    yield "</ul>"
    if note := _note(invoice, language):
        yield f"<p class=soft>{note}</p>"
    yield "</section>"


def _note(invoice: Invoice, language: str) -> str | None:
    """Why the document is not what its sessions were shown to cost."""
    cost, totals = invoice.sessions_gross, invoice.totals
    if cost is None or cost == (totals.prepaid or totals.gross):
        return None
    if invoice.kind is InvoiceKind.RECEIPT:
        return WORDS[language]["not_charged"].format(_money(cost, invoice.currency, language))
    return WORDS[language]["sum_note"]


def _session(item: SessionItem, currency: str, language: str) -> Iterator[str]:
    words = WORDS[language]
    sign = -1 if item.kind == "credit" else 1
    amount = sign * abs(item.gross if item.gross is not None else item.net)
    energy = kwh_text(item.energy_wh, language)
    yield f"<li><div class=row><b>{escape(item.place)}</b><b>{_money(amount, currency, language)}</b></div>"
    yield f"<p>{_span(item, language)} · {energy} kWh</p>"
    yield from (f"<p class=why>{escape(line)}</p>" for line in _price(item.rated, currency, language))
    if item.begin_wh is not None and item.end_wh is not None:
        registers = (kwh_text(wh, language) for wh in (item.begin_wh, item.end_wh))
        yield f"<p class=soft>{words['register'].format(*registers)}</p>"
    yield f"<p class=soft>{escape(item.session_id)}</p></li>"


def _price(lines: tuple[RatedLine, ...], currency: str, language: str) -> Iterator[str]:
    """The price in words; many lines of one session in one."""
    if len(lines) <= MAX_LINES:
        yield from (_told(line, currency, language) for line in lines)
        return
    prices = sorted(line.price for line in lines if line.price is not None)
    told = (money_text(price, currency, language) for price in (prices[0], prices[-1])) if prices else ("-", "-")
    yield WORDS[language]["lines"].format(len(lines), *told)


def _told(line: RatedLine, currency: str, language: str) -> str:
    """A price line with what it is for; a price limit says that itself."""
    text = explain(line, currency, language)
    if line.kind in _LIMITS:
        return text
    said = name(line, language)
    return f"{said[:1].upper()}{said[1:]}: {text}"


def _dispute(dispute: DisputeView, zone: str, language: str) -> str:
    words = WORDS[language]
    opened = words["opened"].format(
        day_text(dispute.opened_at.astimezone(ZoneInfo(zone)).date(), language), day_text(dispute.deadline, language)
    )
    head = words[dispute.decision] if dispute.decision else opened
    told = f"<p class=soft>{words['you']}</p><blockquote>{escape(dispute.reason)}</blockquote>"
    if dispute.note:
        told += f"<p class=soft>{words['we']}</p><blockquote>{escape(dispute.note)}</blockquote>"
    return f'<section class="dispute {escape(dispute.decision or "")}" role="status"><h2>{head}</h2>{told}</section>'


def _may_dispute(invoice: Invoice, disputes: list[DisputeView]) -> bool:
    is_open = any(each.decision is None for each in disputes)
    return invoice.kind in (InvoiceKind.INVOICE, InvoiceKind.RECEIPT) and not is_open


def _form(invoice: Invoice, path: str, language: str) -> Iterator[str]:
    words = WORDS[language]
    of = "receipt_" if invoice.kind is InvoiceKind.RECEIPT else ""
    yield f"<section><details><summary>{words['wrong']}</summary><p>{words[f'{of}wrong_lead']}</p>"
    yield f'<form method="post" action="{escape(path)}?language={language}">'
    yield f"<label class=field><span>{words['about']}</span><select name=session_id>"
    yield f'<option value="">{words[f"{of}all"]}</option>'
    for item in invoice.sessions:
        text = f"{item.place}, {_span(item, language)}"
        yield f'<option value="{escape(item.session_id)}">{escape(text)}</option>'
    yield f"</select></label><label class=field><span>{words['reason']}</span>"
    yield f'<textarea name=reason rows=5 required maxlength="{MAX_REASON_CHARS}"></textarea></label>'
    yield f'<button class="primary wide" type="submit">{words["send"]}</button></form></details></section>'


def _span(item: SessionItem, language: str) -> str:
    return span_text(item.started_at, item.ended_at, item.time_zone, language)


def _money(amount: Decimal, currency: str, language: str) -> str:
    return escape(money_text(amount, currency, language))
