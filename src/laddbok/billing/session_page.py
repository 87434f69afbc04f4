"""How does a session stand in the appendix of an invoice?

When and where it was, what the meter showed, every price line in words, and the root of its proof. The quarters of a spot
price are told as one line with the mean price and what it was made of; each quarter stands in a table when a document has few
sessions, and always in the session's evidence. Where the sessions, each with its own VAT, come to other öre than the VAT on
their sum, a line says so (I6).

>>> from laddbok.billing.examples import FINAL
>>> item = session_row(FINAL.sessions[0], FINAL, lambda line, currency, language: "energi")
>>> item["kwh"], item["lines"], item["register"]
('13,337', [['energi', '53,24']], 'mätare 1\\xa0204,500 → 1\\xa0217,837 kWh')
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from laddbok.billing.page_text import (
    amount_alone,
    breakable,
    clock_text,
    grouped,
    kwh_text,
    language_of,
    money_text,
    rounded,
    span_text,
)
from laddbok.billing.page_words import word
from laddbok.billing.totals import totals_of
from laddbok.model.invoice import Invoice, InvoiceKind, SessionItem
from laddbok.model.rated import RatedLine

Words = Callable[[RatedLine, str, str], str]
"""Tells a rated line of a currency in a language."""
QUARTERS_FOR = 5
"""Of documents with more sessions at a spot price, the quarters stand in the evidence only."""
PRICE_DECIMALS = 4


def appendix(invoice: Invoice, words: Words) -> dict[str, Any] | None:
    """Every session of a document, and what they come to; None when it has none."""
    if not invoice.sessions:
        return None
    language = language_of(invoice.buyer.language)
    spot = [each for each in invoice.sessions if _spot_lines(each)]
    return {
        "rows": [session_row(each, invoice, words) for each in invoice.sessions],
        "sums": _sums(invoice, language),
        "difference": _difference(invoice, language),
        "quarters": [_quarters(each, language, invoice.currency) for each in spot] if len(spot) <= QUARTERS_FOR else [],
        "verify": word("verify", language) if any(each.root for each in invoice.sessions) else None,
    }


def session_row(item: SessionItem, invoice: Invoice, words: Words) -> dict[str, Any]:
    """One session as it stands in the appendix."""
    language, currency = language_of(invoice.buyer.language), invoice.currency
    marks = [word("revision", language).format(item.revision)] if item.revision > 1 else []
    marks += [word("taken_back", language)] if _is_turned(item, invoice) else []
    marks += [_part_told(item, currency, language)] if item.part_of is not None else []
    return {
        "id": item.session_id,
        "when": span_text(item.started_at, item.ended_at, item.time_zone, language),
        "where": [breakable(item.place), breakable(item.station)],
        "who": [breakable(each) for each in (item.driver, item.cost_centre) if each],
        "marks": marks,
        "register": _register(item, language),
        "lines": [[breakable(text), amount] for text, amount in _price_lines(item, currency, language, words)],
        "incl_vat": item.tax_included,
        "root": item.root,
        "kwh": kwh_text(item.energy_wh, language),
        "net": amount_alone(item.net, currency, language),
        "gross": "–" if item.gross is None else amount_alone(item.gross, currency, language),
    }


def _is_turned(item: SessionItem, invoice: Invoice) -> bool:
    """Whether its amounts go against those of the document: it is taken back on an invoice."""
    return (item.kind == "credit") is not (invoice.kind is InvoiceKind.CREDIT_NOTE)


def _part_told(item: SessionItem, currency: str, language: str) -> str:
    """How much of the price lines this buyer pays; where it is all of them, others pay other lines."""
    assert item.part_of is not None
    if abs(item.net) == abs(item.part_of):
        return word("part", language)
    amounts = (amount_alone(abs(amount), currency, language) for amount in (item.net, item.part_of))
    return word("part_of", language).format(*amounts)


def _register(item: SessionItem, language: str) -> str | None:
    if item.begin_wh is None or item.end_wh is None:
        return None
    begin, end = kwh_text(item.begin_wh, language), kwh_text(item.end_wh, language)
    return word("register", language).format(begin=begin, end=end)


def _price_lines(item: SessionItem, currency: str, language: str, words: Words) -> Iterator[tuple[str, str]]:
    """Each price line in words with its amount, on the tariff's side of VAT; the quarters of a spot price as one."""
    spot = _spot_lines(item)
    if spot:
        amount = sum((_amount(line, item) or Decimal(0) for line in spot), Decimal(0))
        yield _spot_told(spot, item, currency, language), amount_alone(amount, currency, language)
    for line in item.rated:
        if line not in spot:
            told = words(line, currency, language).replace(" x ", " × ")
            found = _amount(line, item)
            yield told, "–" if found is None else amount_alone(found, currency, language)


def _amount(line: RatedLine, item: SessionItem) -> Decimal | None:
    return line.incl_vat if item.tax_included else line.excl_vat


def _spot_lines(item: SessionItem) -> tuple[RatedLine, ...]:
    """The quarters of a spot price, if there is more than one."""
    found = tuple(line for line in item.rated if line.parts is not None and line.price is not None)
    return found if len(found) > 1 else ()


def _spot_told(lines: Sequence[RatedLine], item: SessionItem, currency: str, language: str) -> str:
    """One line for all quarters: mean, lowest and highest price per kWh, and the mean of each part, weighted by energy."""
    wh = sum(line.quantity for line in lines)
    prices = [line.price for line in lines if line.price is not None]
    told = word("spot", language).format(
        kwh=kwh_text(wh, language),
        mean=_price(_mean(lines, prices), currency, language),
        low=_price(min(prices), currency, language),
        high=_price(max(prices), currency, language),
    )
    parts = [line.parts for line in lines if line.parts is not None]
    made_of = {
        "part_spot": [part.spot or Decimal(0) for part in parts],
        "part_markup": [part.markup for part in parts],
        "part_grid": [part.grid for part in parts],
        "part_energy_tax": [part.energy_tax for part in parts],
    }
    means = [
        word(name, language).format(grouped(_mean(lines, each), 2, language))
        for name, each in made_of.items()
        if any(each)
    ]
    sources = ", ".join(sorted({part.source for part in parts}))
    return (
        f"{told} ({word('spot_parts', language)} {' + '.join(means)}; {word('part_source', language).format(sources)})"
    )


def _mean(lines: Sequence[RatedLine], prices: Sequence[Decimal]) -> Decimal:
    """The mean price, weighted by energy; where none was used, of the quarters alike."""
    wh = [line.quantity for line in lines]
    weights = wh if sum(wh) else [1] * len(wh)
    total = sum((weight * price for weight, price in zip(weights, prices, strict=True)), Decimal(0))
    return rounded(total, Decimal(sum(weights)), PRICE_DECIMALS)


def _price(price: Decimal, currency: str, language: str) -> str:
    return money_text(rounded(price, Decimal(1), PRICE_DECIMALS), currency, language)


def _quarters(item: SessionItem, language: str, currency: str) -> dict[str, Any]:
    """Each quarter of one session: time, kWh, price per kWh."""
    rows = [
        [
            f"{clock_text(line.start_at, item.time_zone)}",
            kwh_text(line.quantity, language),
            grouped(rounded(line.price or Decimal(0), Decimal(1), PRICE_DECIMALS), PRICE_DECIMALS, language),
        ]
        for line in _spot_lines(item)
    ]
    name = "quarters_with_vat" if item.tax_included else "quarters"
    sign = money_text(Decimal(0), currency, language).split()[-1]
    return {"id": item.session_id, "title": word(name, language).format(sign), "rows": rows}


def _sums(invoice: Invoice, language: str) -> dict[str, str]:
    grosses = [each.gross for each in invoice.sessions]
    known = [gross for gross in grosses if gross is not None]
    gross = sum(known, Decimal(0)) if len(known) == len(grosses) else None
    return {
        "kwh": kwh_text(sum(_turned_wh(each, invoice) for each in invoice.sessions), language),
        "net": amount_alone(sum((each.net for each in invoice.sessions), Decimal(0)), invoice.currency, language),
        "gross": "–" if gross is None else amount_alone(gross, invoice.currency, language),
    }


def _turned_wh(item: SessionItem, invoice: Invoice) -> int:
    return -item.energy_wh if _is_turned(item, invoice) else item.energy_wh


def _difference(invoice: Invoice, language: str) -> list[list[str]]:
    """Between the sessions, each with its own VAT, and what they are on this document; nothing when they are the same.

    Source: docs/rules.md "Documents"; I6.
    """
    shown = invoice.sessions_gross
    if shown is None or any(each.gross is None for each in invoice.sessions):
        return []
    charges = [(line.vat, line.net) for line in invoice.lines if line.session_id is None]
    _, of_charges = totals_of(charges, invoice.currency)
    here = invoice.totals.gross - of_charges.gross
    if here == shown:
        return []
    steps = (("vat_on_sum", here - shown), ("sessions_on_document", here))
    return [[word(name, language), amount_alone(amount, invoice.currency, language)] for name, amount in steps]
