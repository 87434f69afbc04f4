"""Does a receipt come to what was paid, to the öre, whatever the session cost, and does its credit note take exactly that back?"""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.check import check
from laddbok.billing.credit import Credits, CreditWish, credit_note
from laddbok.billing.examples import OCTOBER, POSITION, SELLER
from laddbok.billing.freeze import Series, numbered
from laddbok.billing.invoice_page import invoice_page
from laddbok.billing.ledger import entry_of
from laddbok.billing.receipt import TOO_LARGE, claim, correction, receipt
from laddbok.billing.required_fields import required
from laddbok.flow.billing_run import CORRECTED
from laddbok.model.billing import Position
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.model.money import from_minor
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.explain import told
from laddbok.rating.rate import rate

SERIES = {kind: Series(prefix=prefix, next_number=1) for kind, prefix in zip(InvoiceKind, "1578", strict=True)}
DRIVER = f"session/{POSITION.session_id}"


def costing(minor: int, *more: tuple[int, int]) -> Position:
    """A session that was shown to cost so many öre, with parts at other rates of VAT."""
    components = [
        ("FLAT", minor, 25),
        *(("ENERGY" if n == 0 else "TIME", price, vat) for n, (price, vat) in enumerate(more)),
    ]
    document = {
        "id": "x", "currency": "SEK", "tax_included": "YES",
        "elements": [{"price_components": [
            {"type": kind, "price": str(from_minor(price, "SEK")), "vat": vat, "step_size": 1} for kind, price, vat in components]}],
    }  # fmt: skip
    rating = rate(POSITION.cdr, compile_tariff(parse_tariff(document), "Europe/Stockholm"))
    return replace(POSITION, rating=rating, contract_id=None)


def final(draft: Invoice) -> Invoice:
    return numbered(draft, SERIES[draft.kind])


ORE = st.integers(1, 30_000)
OTHER = st.lists(st.tuples(st.integers(1, 900), st.sampled_from((6, 12, 25))), max_size=2)


@given(ORE, OTHER, st.integers(1, 100))
def test_I6_a_receipt_is_what_was_paid_and_adds_up(minor: int, more: list[tuple[int, int]], part: int) -> None:
    position = costing(minor, *more)
    cost = position.rating.incl_vat
    assert cost is not None
    paid = max(Decimal("0.01"), from_minor(int(cost * part), "SEK"))
    made = final(receipt(SELLER, DRIVER, position, OCTOBER, paid))
    assert (check(made), required(made)) == ((), ())
    assert (made.totals.prepaid, made.totals.payable, made.sessions_gross) == (paid, 0, cost)
    assert abs(made.totals.rounding) <= Decimal("0.01") * (1 + len(more))
    entry = entry_of(made, "r", {})
    assert {each.account: each.amount for each in entry.postings if each.payer_id} == {"2420": paid}


@given(ORE, OTHER, st.integers(1, 100), st.lists(st.integers(1, 5_000), max_size=3))
def test_B24_what_a_correction_takes_back_is_what_is_left_of_what_was_paid(
    minor: int, more: list[tuple[int, int]], part: int, kulans: list[int]
) -> None:
    position = costing(minor, *more)
    cost = position.rating.incl_vat
    assert cost is not None
    made = final(receipt(SELLER, DRIVER, position, OCTOBER, max(Decimal("0.01"), from_minor(int(cost * part), "SEK"))))
    notes: list[Invoice] = []
    for each in kulans if len(made.vat) == 1 else ():
        gross = from_minor(each, "SEK")
        if gross + Decimal("0.02") <= made.totals.prepaid - sum(note.totals.prepaid for note in notes):
            notes.append(
                credit_note(
                    Credits(document=made, notes=tuple(notes)), CreditWish(reason="Kulans", gross=gross), OCTOBER.issue
                )
            )
            assert notes[-1].totals.prepaid == gross
    back = replace(position, kind="credit")
    notes.append(correction(SELLER, Credits(document=made, notes=tuple(notes)), [back], OCTOBER, CORRECTED))
    assert all(check(final(note)) == () for note in notes)
    entries = [entry_of(final(note), str(n), {}) for n, note in enumerate([made, *notes])]
    left: dict[str, Decimal] = {}
    for posting in (each for entry in entries for each in entry.postings):
        left[posting.account] = left.get(posting.account, Decimal(0)) + posting.amount
    left = {account: amount for account, amount in left.items() if amount}
    assert left.keys() <= {"2611", "2621", "2631", "3740"}, "VAT that was rounded in parts, and the rounding against it"
    assert all(abs(amount) <= Decimal("0.01") * len(notes) * len(made.vat) for amount in left.values())
    assert kulans or not left
    assert sum(note.totals.prepaid for note in notes) == made.totals.prepaid


def test_above_the_limit_it_says_that_it_is_no_simplified_invoice() -> None:
    large, small = (
        receipt(SELLER, DRIVER, costing(minor), OCTOBER, from_minor(minor, "SEK")) for minor in (400_001, 400_000)
    )
    assert (large.note, small.note) == (TOO_LARGE, None)


def test_every_field_of_a_simplified_invoice_stands_on_a_receipt() -> None:
    """ML 17 kap. 28 §: day, who sells, what, the VAT or how to find it; ours has the number and the VAT number, too."""
    page = invoice_page(final(receipt(SELLER, DRIVER, POSITION, OCTOBER, Decimal("66.55"))), told)
    assert dict(page["facts"])["Datum"] == "3\xa0november 2026"
    assert page["number"] == "70000001"
    facts = [fact for column in page["seller"]["columns"] for fact in column]
    assert "Norrladd AB" in facts and any("SE556036079301" in fact for fact in facts)
    assert page["appendix"]["rows"][0]["kwh"] == "13,337"
    assert page["vat"] == [["25 %".replace(" ", "\xa0"), "53,24", "13,31"]]
    assert page["payable"] == ["Betalt", "66,55\xa0kr"]


def test_what_was_not_charged_stands_on_the_receipt_with_the_price_of_the_session() -> None:
    page = invoice_page(final(receipt(SELLER, DRIVER, POSITION, OCTOBER, Decimal("50.00"))), told)
    assert [amount for _, amount in page["totals"]] == [
        f"{each}\xa0kr" for each in ("66,55", "−16,55", "40,00", "10,00", "50,00")
    ]


def test_a_claim_is_an_invoice_that_says_why() -> None:
    made = final(claim(SELLER, DRIVER, POSITION, OCTOBER))
    assert (made.kind, made.totals.payable, check(made), required(made)) == (
        InvoiceKind.INVOICE, Decimal("66.55"), (), (),
    )  # fmt: skip
    assert made.payment_reference is not None and made.note is not None and "inte betald" in made.note.sv
