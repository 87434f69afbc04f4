"""How does a frozen statement become its files?

    model.statement --statement_pdf--> PDF      --statement_csv--> the rows      --sessions_csv--> the sessions behind them

All are made of the content and of nothing else. Below the table stands what a treasurer or an employer asks next: which bill it
was and how it was shared, which sessions are no apartment's, which are not settled yet, and what differs from the version before.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from laddbok.billing.apartment_list import apartment_csv, apartment_pdf
from laddbok.billing.home_statement import home_csv, home_pdf
from laddbok.billing.list_page import ListHead
from laddbok.billing.page_text import amount_alone, kwh_text, language_of, money_text
from laddbok.billing.page_words import word
from laddbok.billing.spreadsheet import spreadsheet
from laddbok.model.statement import ApartmentList, Change, Statement

MAX_NAMED = 40
"""Sessions that one remark names; the file of sessions has them all."""
MAX_CHANGES = 200


def statement_pdf(statement: Statement) -> bytes:
    """The PDF of a revision: the same bytes for the same content. Source: docs/rules.md "Apartment lists"."""
    head, remarks = _list_head(statement), [*_remarks(statement)]
    if isinstance(statement, ApartmentList):
        return apartment_pdf(statement.shares, head, statement.head.currency, remarks)
    return home_pdf(statement.refund, head, statement.driver, statement.head.time_zone, remarks)


def statement_csv(statement: Statement) -> bytes:
    """The rows of a revision for a spreadsheet."""
    if isinstance(statement, ApartmentList):
        return apartment_csv(statement.shares, statement.head.language)
    return home_csv(statement.refund, statement.head.time_zone, statement.head.language)


def sessions_csv(statement: Statement) -> bytes:
    """Every session that was counted, with its apartment and the revision of its CDR; their energy comes to that of the rows."""
    language, zone = language_of(statement.head.language), ZoneInfo(statement.head.time_zone)
    columns = ("session_id", "started", "apartment", "energy", "cdr_revision")
    rows = (
        (
            each.session_id,
            f"{each.started_at.astimezone(zone):%Y-%m-%d %H:%M}",
            each.apartment or word("no_apartment", language),
            Decimal(each.energy_wh).scaleb(-3),
            each.revision,
        )
        for each in statement.sessions
    )
    total = (word("sum", language), "", "", Decimal(statement.energy_wh).scaleb(-3), "")
    return spreadsheet([[word(each, language) for each in columns], *rows, total], language)


def _list_head(statement: Statement) -> ListHead:
    head = statement.head
    is_house = isinstance(statement, ApartmentList)
    return ListHead(
        seller=head.seller, to=head.to, number=head.number, period_start=head.period_start, period_end=head.period_end,
        issue_date=head.issue_date, language=head.language,
        about=("place", head.name) if is_house else ("contract", f"{head.name}, {head.subject_id}"),
    )  # fmt: skip


def _remarks(statement: Statement) -> Iterator[str]:
    head, language = statement.head, language_of(statement.head.language)
    if isinstance(statement, ApartmentList):
        yield _bill(statement, language)
        nobody = [each.session_id for each in statement.sessions if each.apartment is None]
        if nobody:
            yield word("sessions_of_nobody", language).format(_named(nobody, language))
    if statement.waiting:
        yield word("sessions_waiting", language).format(_named(statement.waiting, language))
    if statement.changes:
        yield word("changed_since", language).format(head.revision - 1)
        yield from (_change(each, head.currency, language) for each in statement.changes[:MAX_CHANGES])
        if len(statement.changes) > MAX_CHANGES:
            yield word("and_more", language).format(len(statement.changes) - MAX_CHANGES)


def _bill(of: ApartmentList, language: str) -> str:
    number, net, fixed = (
        f" {of.bill.number}" if of.bill.number else "",
        *(money_text(amount, of.head.currency, language) for amount in (of.bill.net, of.bill.fixed_net)),
    )
    if not of.bill.fixed_net:
        return word("bill_by_use", language).format(number=number, net=net)
    how = word("shared_by_parts" if of.by_parts else "shared_equally", language)
    return word("bill", language).format(number=number, net=net, fixed=fixed, how=how)


def _named(ids: Sequence[str], language: str) -> str:
    more = [word("and_more", language).format(len(ids) - MAX_NAMED)] if len(ids) > MAX_NAMED else []
    return ", ".join([*ids[:MAX_NAMED], *more])


def _change(change: Change, currency: str, language: str) -> str:
    """What differs, such as: Apartment 1004: 12.300 → 11.900 kWh, 45.10 → 44.02 kr."""
    whose = word("changed_apartment", language).format(change.apartment) if change.apartment else ""
    if change.session_id:
        session = word("changed_session", language).format(change.session_id)
        name = f"{session} ({whose or word('no_apartment', language)})" if _is_of_house(change) else session
    else:
        name = whose or word("no_apartment", language)
    energy = [None if wh is None else kwh_text(wh, language) for wh in (change.before_wh, change.after_wh)]
    amounts = [
        None if each is None else amount_alone(each, currency, language) for each in (change.before, change.after)
    ]
    is_same = change.before_wh == change.after_wh and any(amounts)
    parts = [*([] if is_same else [f"{_turned(energy)} kWh"]), *([_turned(amounts)] if any(amounts) else [])]
    return f"{name}: {', '.join(parts)}"


def _is_of_house(change: Change) -> bool:
    """A session in a list of apartments; one at home has an amount of its own."""
    return change.before is None and change.after is None


def _turned(pair: Sequence[str | None]) -> str:
    return " → ".join(each or "–" for each in pair)
