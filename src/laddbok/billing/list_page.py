"""How does a statement or a list stand on a page?

A list is a table with a sum, from a seller to somebody: what an employer pays back for charging at home, or what each
apartment of a housing co-operative pays. The sum is that of the rows above it.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from laddbok.billing.invoice_page import seller_facts
from laddbok.billing.page_text import (
    amount_alone,
    breakable,
    day_text,
    grouped,
    kwh_text,
    language_of,
    money_text,
    period_text,
)
from laddbok.billing.page_words import WORDS, said, word
from laddbok.model.apartment_share import ApartmentShare
from laddbok.model.invoice import Seller
from laddbok.model.refund import Refund, RefundLine


class ListHead(msgspec.Struct, frozen=True, kw_only=True):
    """Of a list: who writes it, about whom, for which days, and when. `to` is an address line by line, a name first.

    `about` is what it is about: a word of ours, and a name.
    """

    seller: Seller
    to: tuple[str, ...]
    number: str
    period_start: date
    period_end: date
    issue_date: date
    language: str = "sv"
    about: tuple[str, str] | None = None


def home_page(
    refund: Refund, head: ListHead, driver: str, time_zone: str, remarks: Sequence[str] = ()
) -> dict[str, Any]:
    """The page of a statement of charging at home. Args: time_zone, of the home; remarks, below the table."""
    language = language_of(head.language)
    with_registers = any(line.begin_wh is not None for line in refund.lines)
    names = ("started", "session_id", *(["registers"] if with_registers else []), "energy", "per_kwh", "amount")
    extra = [""] if with_registers else []
    return {
        **_frame(head, "home_statement", "home_intro", [("driver", driver)], remarks),
        "lines": {
            "head": [word(each, language) for each in names],
            "rows": [
                _refund_row(line, refund.currency, time_zone, language, with_registers=with_registers)
                for line in refund.lines
            ],
        },
        "columns": [False, not with_registers, *(True for _ in extra), False, False, False],
        "right": [False, False, *(True for _ in extra), True, True, True],
        "sums": [word("sum", language), "", *extra, kwh_text(refund.energy_wh, language), "",
            amount_alone(refund.total, refund.currency, language)],
        "payable": [word("to_refund", language), money_text(refund.total, refund.currency, language)],
    }  # fmt: skip


def apartment_page(
    shares: Sequence[ApartmentShare], head: ListHead, currency: str, remarks: Sequence[str] = ()
) -> dict[str, Any]:
    """The page of a co-operative's list. Args: remarks, below the table."""
    language = language_of(head.language)
    whole = total_of(shares)
    apartments = sum(1 for each in shares if each.apartment)
    return {
        **_frame(head, "apartment_list", "share_intro", [("apartments", str(apartments))], remarks),
        "lines": {
            "head": [word(each, language) for each in ("apartment", "energy", "net", "vat", "gross")],
            "rows": [[breakable(name_of(each, language)), *_share(each, currency, language)] for each in shares],
        },
        "columns": [True] * 5,
        "right": [False, True, True, True, True],
        "sums": [word("sum", language), *_share(whole, currency, language)],
        "payable": [word("cost", language), money_text(whole.gross, currency, language)],
    }


def name_of(share: ApartmentShare, language: str) -> str:
    """The apartment, or that it is none."""
    return share.apartment or word("no_apartment", language)


def total_of(shares: Sequence[ApartmentShare]) -> ApartmentShare:
    """All apartments together, under no name."""
    net, vat = (sum((getattr(each, side) for each in shares), Decimal(0)) for side in ("net", "vat"))
    return ApartmentShare(apartment="", energy_wh=sum(each.energy_wh for each in shares), net=net, vat=vat)


def _frame(
    head: ListHead, title: str, intro: str, more: Sequence[tuple[str, str]], remarks: Sequence[str]
) -> dict[str, Any]:
    """What every list has around its table."""
    language = language_of(head.language)
    named = [
        ("number", head.number),
        ("issue_date", day_text(head.issue_date, language)),
        ("period", period_text(head.period_start, head.period_end, language)),
        *([head.about] if head.about else []),
        *more,
    ]
    return {
        "language": language,
        "date": [head.issue_date.year, head.issue_date.month, head.issue_date.day],
        "title": word(title, language),
        "number": head.number,
        "words": {name: said(text, language) for name, text in WORDS.items()},
        "seller": {"name": breakable(head.seller.name), "columns": seller_facts(head.seller, language)},
        "buyer": [breakable(line) for line in head.to],
        "facts": [[word(name, language), breakable(value)] for name, value in named],
        "intro": word(intro, language),
        "remarks": [breakable(each) for each in remarks],
    }


def _refund_row(line: RefundLine, currency: str, time_zone: str, language: str, *, with_registers: bool) -> list[str]:
    price = word("by_tariff", language) if line.per_kwh is None else grouped(line.per_kwh, 2, language)
    return [
        _start_text(line.started_at, time_zone, language),
        line.session_id,
        *([_registers(line, language)] if with_registers else []),
        kwh_text(line.energy_wh, language),
        price,
        amount_alone(line.amount, currency, language),
    ]


def _registers(line: RefundLine, language: str) -> str:
    if line.begin_wh is None or line.end_wh is None:
        return ""
    return f"{kwh_text(line.begin_wh, language)} → {kwh_text(line.end_wh, language)}"


def _start_text(at: datetime, time_zone: str, language: str) -> str:
    local = at.astimezone(ZoneInfo(time_zone))
    return f"{day_text(local.date(), language)}, {local:%H:%M}"


def _share(share: ApartmentShare, currency: str, language: str) -> list[str]:
    amounts = (amount_alone(amount, currency, language) for amount in (share.net, share.vat, share.gross))
    return [kwh_text(share.energy_wh, language), *amounts]
