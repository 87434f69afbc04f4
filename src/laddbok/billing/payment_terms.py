"""What does an invoice say about paying late?

Within how many days it is to be paid, and what follows otherwise: only what the seller's terms say was agreed. Without an
agreement a reminder costs nothing, and the law's interest is not threatened with.

>>> from laddbok.billing.late_terms import parse_late_terms
>>> terms = {"reminder_fee": "60", "interest_points": "8", "reference_rates": "2026-07-01 1.75"}
>>> print(payment_terms(30, parse_late_terms(terms), BuyerKind.CONSUMER, "SEK").en)
To be paid within 30 days. After that interest at the reference rate + 8 percentage points; reminder fee 60.00 kr, as agreed.
"""

from collections.abc import Iterator

from laddbok.billing.late_terms import LateTerms
from laddbok.billing.page_text import FIXED, grouped, money_text
from laddbok.model.invoice import BuyerKind, Text

_PAID_WITHIN = {"sv": "Betalas inom {} dagar.", "en": "To be paid within {} days."}
_AT_ONCE = {"sv": "Betalas genast.", "en": "To be paid at once."}
_AFTER = {"sv": "Därefter {}, enligt avtal.", "en": "After that {}, as agreed."}
_INTEREST = {
    "sv": "dröjsmålsränta med referensräntan + {} procentenheter",
    "en": "interest at the reference rate + {} percentage points",
}
_FEE = {"sv": "påminnelseavgift {}", "en": "reminder fee {}"}
_COMPENSATION = {"sv": "förseningsersättning {}", "en": "compensation for late payment {}"}


def payment_terms(days: int, late: LateTerms, buyer: BuyerKind, currency: str) -> Text:
    """The terms of payment [BT-20] in both languages.

    Args: days, from issue to due; late, what was agreed; buyer: a consumer never owes the compensation.
    Source: Inkassolagen; räntelagen 6 §; docs/rules.md "Documents".
    """
    sv, en = (_in(language, days, late, buyer, currency) for language in ("sv", "en"))
    return Text(sv=sv, en=en)


def _in(language: str, days: int, late: LateTerms, buyer: BuyerKind, currency: str) -> str:
    first = _PAID_WITHIN[language].format(days) if days else _AT_ONCE[language]
    follows = "; ".join(_follows(language, late, buyer, currency)).replace(FIXED, " ")
    return f"{first} {_AFTER[language].format(follows)}" if follows else first


def _follows(language: str, late: LateTerms, buyer: BuyerKind, currency: str) -> Iterator[str]:
    if late.interest_points is not None:
        yield _INTEREST[language].format(grouped(late.interest_points, 0, language))
    if late.reminder_fee:
        yield _FEE[language].format(money_text(late.reminder_fee, currency, language))
    if late.compensation and buyer is not BuyerKind.CONSUMER:
        yield _COMPENSATION[language].format(money_text(late.compensation, currency, language))
