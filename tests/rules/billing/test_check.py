"""Is everything found that does not add up, and nothing else?"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.check import check
from laddbok.model.invoice import Invoice, InvoiceKind, VatRate
from tests.rules.billing.documents import EXEMPT, OUTSIDE, S25, document, documents, line, simple, thousand_lines

OERE = Decimal("0.01")


def found(invoice: Invoice) -> list[tuple[str, str]]:
    return [(each.rule, each.field) for each in check(invoice)]


@given(documents)
def test_what_totals_of_makes_adds_up(invoice: Invoice) -> None:
    assert check(invoice) == ()


def changes(invoice: Invoice, by: Decimal) -> Iterator[tuple[str, Invoice]]:
    """The document with one of its amounts changed, for each of them."""
    for place, each in enumerate(invoice.lines):
        changed = replace(each, net=each.net + by)
        yield f"lines[{place}].net", replace(invoice, lines=_with(invoice.lines, place, changed))
    for place, each in enumerate(invoice.vat):
        for name in ("net", "vat"):
            changed = replace(each, **{name: getattr(each, name) + by})
            yield f"vat[{place}].{name}", replace(invoice, vat=_with(invoice.vat, place, changed))
    for name in ("net", "vat", "gross", "prepaid", "rounding", "payable"):
        totals = replace(invoice.totals, **{name: getattr(invoice.totals, name) + by})
        yield f"totals.{name}", replace(invoice, totals=totals)


def _with(items: tuple[Any, ...], place: int, changed: Any) -> tuple[Any, ...]:
    return (*items[:place], changed, *items[place + 1 :])


@settings(max_examples=40)
@given(documents, st.sampled_from((OERE, -OERE, Decimal(1), Decimal("-100"))))
def test_every_amount_that_is_changed_is_found(invoice: Invoice, by: Decimal) -> None:
    for path, changed in changes(invoice, by):
        assert check(changed), path


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"number": None}, ("BR-02", "number")),
        ({"number": "2026 1"}, ("LADDBOK-NUMBER", "number")),
        ({"number": "-1"}, ("LADDBOK-NUMBER", "number")),
        ({"number": "1" * 31}, ("LADDBOK-NUMBER", "number")),
        ({"period_end": date(2026, 9, 30)}, ("BR-29", "period_end")),
        ({"due_date": date(2026, 11, 1)}, ("LADDBOK-DUE", "due_date")),
        ({"kind": InvoiceKind.CREDIT_NOTE}, ("LADDBOK-CREDIT", "refers_to")),
        ({"currency": "KWD"}, ("BR-05", "currency")),
        ({"currency": "kr"}, ("BR-05", "currency")),
    ],
)
def test_what_is_wrong_on_the_document_is_named(change: dict[str, Any], finding: tuple[str, str]) -> None:
    assert finding in found(replace(simple(), **change))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"quantity": Decimal("13.34")}, ("PEPPOL-EN16931-R120", "lines[0].net")),
        ({"unit_price": Decimal("53.25")}, ("PEPPOL-EN16931-R120", "lines[0].net")),
        ({"per": Decimal("13.33")}, ("PEPPOL-EN16931-R120", "lines[0].net")),
        ({"per": Decimal(0)}, ("PEPPOL-EN16931-R121", "lines[0].per")),
        ({"unit_price": Decimal("-53.24")}, ("BR-27", "lines[0].unit_price")),
        ({"net": Decimal("53.244")}, ("UBL-DT-01", "lines[0].net")),
        ({"end_date": date(2026, 10, 6)}, ("BR-30", "lines[0].end_date")),
        ({"number": 0}, ("BR-21", "lines[0].number")),
        ({"vat": VatRate(category="Q", percent=Decimal(25))}, ("BR-CL-18", "lines[0].vat.category")),
        ({"vat": VatRate(category="E", percent=Decimal(25))}, ("BR-E-05", "lines[0].vat.percent")),
        ({"vat": VatRate(percent=Decimal(0))}, ("BR-S-05", "lines[0].vat.percent")),
        ({"vat": VatRate(percent=Decimal(12))}, ("BR-S-01", "vat")),
    ],
)
def test_what_is_wrong_on_a_line_is_named(change: dict[str, Any], finding: tuple[str, str]) -> None:
    invoice = simple()
    assert finding in found(replace(invoice, lines=(replace(invoice.lines[0], **change),)))


def test_a_line_without_words_is_named() -> None:
    invoice = simple()
    wordless = replace(invoice.lines[0], text=replace(invoice.lines[0].text, en=" "))
    assert found(replace(invoice, lines=(wordless,))) == [("BR-25", "lines[0].text")]


def test_a_document_without_lines_is_named() -> None:
    assert found(document([])) == [("BR-16", "lines")]


def test_what_is_outside_vat_stands_alone() -> None:
    assert found(document([line("1", "2", "2", OUTSIDE)])) == []
    assert found(document([line("1", "2", "2", OUTSIDE), line("1", "2", "2", EXEMPT)])) == [("BR-O-11", "vat")]


def test_a_category_that_stands_twice_is_named() -> None:
    invoice = simple()
    assert ("BR-S-08", "vat[1]") in found(replace(invoice, vat=invoice.vat * 2))


def test_B48_vat_is_taken_on_the_sum_and_nowhere_else() -> None:
    invoice = document([line("1", "0.10", "0.10")] * 5)
    assert (invoice.totals.vat, found(invoice)) == (Decimal("0.13"), [])
    by_line = replace(invoice.vat[0], vat=Decimal("0.15"))
    assert ("BR-CO-17", "vat[0].vat") in found(replace(invoice, vat=(by_line,)))


def test_B52_rounding_is_to_whole_kronor_and_leaves_the_vat_alone() -> None:
    invoice = document([line("1", "2946.96", "2946.96")], whole_units=True)
    assert (invoice.totals.gross, invoice.totals.payable) == (Decimal("3683.70"), Decimal("3684.00"))
    assert found(invoice) == []
    totals = replace(invoice.totals, rounding=Decimal("0.20"), payable=Decimal("3683.90"))
    assert found(replace(invoice, totals=totals)) == [("LADDBOK-ROUNDING", "totals.rounding")]


def test_the_vat_of_each_rate_may_not_be_an_oere_off() -> None:
    """The official rules let it be wrong by up to a krona, when all sums follow it."""
    invoice = simple()
    vat = invoice.vat[0].vat + OERE
    totals = replace(invoice.totals, vat=vat, gross=invoice.totals.gross + OERE, payable=invoice.totals.payable + OERE)
    assert found(replace(invoice, vat=(replace(invoice.vat[0], vat=vat),), totals=totals)) == [
        ("BR-CO-17", "vat[0].vat")
    ]


def test_a_thousand_lines_add_up() -> None:
    assert found(thousand_lines()) == []
    assert thousand_lines().vat[0].rate == S25
