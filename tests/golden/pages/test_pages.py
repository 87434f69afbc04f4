"""Does each document say what it said when it was looked at, page by page and in both languages?

A file is what can be read in a PDF, a page a paragraph, broken into lines. After a change look at the pages, too.
"""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from laddbok.billing.apartment_list import apartment_pdf
from laddbok.billing.home_statement import home_pdf
from laddbok.billing.pdf import invoice_pdf
from laddbok.model.invoice import Invoice
from laddbok.rating.explain import told
from tests.rules.billing import papers
from tests.rules.billing.pdf_text import page_texts

FOLDER = Path(__file__).parent
INVOICES: dict[str, Callable[[str], Invoice]] = {
    "one_session": papers.one_session,
    "company_month": papers.company_month,
    "credit_note": papers.credit_note,
    "receipt": papers.receipt,
    "spot_session": papers.spot_invoice,
    "self_billed": papers.self_billed,
}


def as_read(pdf: bytes) -> str:
    return "\n\n".join(textwrap.fill(page.strip(), 120, break_on_hyphens=False) for page in page_texts(pdf)) + "\n"


def check(name: str, pdf: bytes, rewrite: bool) -> None:
    path = FOLDER / f"{name}.txt"
    text = as_read(pdf)
    if rewrite:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("name", INVOICES)
def test_a_document_says_what_was_looked_at(name: str, language: str, rewrite_golden: bool) -> None:
    check(f"{name}_{language}", invoice_pdf(INVOICES[name](language), told), rewrite_golden)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_list_says_what_was_looked_at(language: str, rewrite_golden: bool) -> None:
    head = papers.list_head(language)
    check(
        f"home_statement_{language}", home_pdf(papers.refund(), head, "Anna Berg", "Europe/Stockholm"), rewrite_golden
    )
    check(f"apartments_{language}", apartment_pdf(papers.shares(), head, "SEK"), rewrite_golden)
