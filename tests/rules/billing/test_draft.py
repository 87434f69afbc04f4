"""What stands on an invoice, to the öre?"""

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256

import msgspec
import pytest
from msgspec.structs import replace

from laddbok.billing.draft import draft
from laddbok.billing.examples import COMPANY, DRAFT, OCTOBER, POSITION, RATING, SELLER
from laddbok.billing.freeze import Series, freeze
from laddbok.billing.payment_reference import is_ocr, ocr
from laddbok.billing.totals import totals_of
from laddbok.flow.billing_run import PositionKey, period_of, plan
from laddbok.model.billing import Position
from laddbok.model.errors import Invalid
from laddbok.model.invoice import InvoiceKind, Reference, VatRate
from laddbok.model.rated import LineKind

STANDARD = VatRate(percent=Decimal(25))


def priced(excl_vat: str, number: int = 1, *, kind: str = "cdr", billed_on: Reference | None = None) -> Position:
    """The example's session at another price."""
    net = Decimal(excl_vat)
    line = replace(RATING.lines[0], excl_vat=net, incl_vat=net * Decimal("1.25"))
    rating = replace(RATING, excl_vat=net, incl_vat=net * Decimal("1.25"), lines=(line,))
    cdr = replace(POSITION.cdr, session_id=f"S{number}")
    return replace(POSITION, session_id=f"S{number}", cdr=cdr, rating=rating, kind=kind, billed_on=billed_on)


def test_B47_one_session_is_one_line_of_its_kilowatt_hours() -> None:
    [line] = DRAFT.lines
    assert (line.quantity, line.unit_price, line.per) == (Decimal("13.337"), Decimal("53.24"), Decimal("13.337"))
    assert (DRAFT.totals.net, DRAFT.totals.vat, DRAFT.totals.payable) == (
        Decimal("53.24"),
        Decimal("13.31"),
        Decimal("66.55"),
    )


def test_B48_VAT_is_taken_on_the_sum_and_the_appendix_shows_what_was_shown() -> None:
    shown = [
        replace(position, rating=replace(position.rating, incl_vat=Decimal("0.13")))
        for position in (priced("0.10", number) for number in range(5))
    ]
    document = draft(SELLER, COMPANY, shown, OCTOBER)
    assert (document.totals.net, document.totals.vat, document.totals.gross) == (
        Decimal("0.50"),
        Decimal("0.13"),
        Decimal("0.63"),
    )
    assert document.sessions_gross == Decimal("0.65")


def test_B52_whole_kronor_leave_the_VAT_alone() -> None:
    sums, totals = totals_of([(STANDARD, Decimal("2946.96"))], "SEK", whole_units=True)
    assert (totals.gross, totals.rounding, totals.payable) == (
        Decimal("3683.70"),
        Decimal("0.30"),
        Decimal("3684.00"),
    )
    assert sums[0].net == Decimal("2946.96")
    assert sums[0].vat == totals.vat == Decimal("736.74")


def test_the_order_in_which_positions_come_changes_nothing() -> None:
    positions = [priced("1.00", 1), priced("2.00", 2), priced("3.00", 3)]
    assert draft(SELLER, COMPANY, positions, OCTOBER) == draft(SELLER, COMPANY, positions[::-1], OCTOBER)


def test_B36_what_is_less_than_nothing_has_a_negative_quantity() -> None:
    [line] = draft(SELLER, COMPANY, [priced("-3.40")], OCTOBER).lines
    assert (line.quantity, line.unit_price, line.net) == (Decimal("-13.337"), Decimal("3.40"), Decimal("-3.40"))


def test_a_credit_note_takes_back_with_amounts_above_nothing() -> None:
    billed_on = Reference("20260000007", OCTOBER.issue)
    credit = priced("53.24", kind="credit", billed_on=billed_on)
    note = draft(SELLER, COMPANY, [credit], OCTOBER, kind=InvoiceKind.CREDIT_NOTE, refers_to=billed_on)
    assert (note.totals.net, note.lines[0].quantity, note.sessions[0].net) == (
        Decimal("53.24"),
        Decimal("13.337"),
        Decimal("53.24"),
    )


def test_two_rates_of_VAT_in_a_session_are_two_lines_and_a_limit_is_shared_out() -> None:
    fee = replace(
        RATING.lines[0],
        kind=LineKind.FLAT,
        quantity=1,
        excl_vat=Decimal("10.00"),
        incl_vat=Decimal("10.60"),
        vat_percent=Decimal(6),
    )
    limit = replace(
        fee, kind=LineKind.MAX_PRICE, excl_vat=Decimal("-3.24"), incl_vat=Decimal("-4.00"), vat_percent=None
    )
    rating = replace(RATING, lines=(*RATING.lines, fee, limit), excl_vat=Decimal("60.00"), incl_vat=Decimal("73.15"))
    document = draft(SELLER, COMPANY, [replace(POSITION, rating=rating)], OCTOBER)
    assert [(line.vat.percent, line.net) for line in document.lines] == [
        (Decimal(25), Decimal("50.51")),
        (Decimal(6), Decimal("9.49")),
    ]
    assert document.totals.net == Decimal("60.00")


def test_a_session_whose_VAT_nobody_knows_is_not_billed() -> None:
    unknown = replace(RATING, lines=(replace(RATING.lines[0], vat_percent=None, incl_vat=None),), incl_vat=None)
    with pytest.raises(Invalid, match="VAT is not known"):
        draft(SELLER, COMPANY, [replace(POSITION, rating=unknown)], OCTOBER)
    planned = plan(SELLER, OCTOBER, [(COMPANY, [replace(POSITION, rating=unknown)])])
    assert planned.drafts == ()
    assert [(each.payer_id, each.field) for each in planned.in_the_way] == [
        ("bageriet", f"session {POSITION.session_id}")
    ]


def test_a_credit_before_the_bill_nets_and_one_after_it_is_a_credit_note() -> None:
    billed_on = Reference("20260000007", OCTOBER.issue)
    unbilled = [priced("5.00", 1), priced("5.00", 1, kind="credit")]
    corrected = [priced("8.00", 2, kind="credit", billed_on=billed_on), replace(priced("7.00", 2), revision=2)]
    planned = plan(SELLER, OCTOBER, [(COMPANY, [*unbilled, *corrected])])
    assert set(planned.netted) == {PositionKey("S1", 1, "cdr"), PositionKey("S1", 1, "credit")}
    assert [(each.invoice.kind, each.invoice.totals.net, each.invoice.refers_to) for each in planned.drafts] == [
        (InvoiceKind.INVOICE, Decimal("7.00"), None),
        (InvoiceKind.CREDIT_NOTE, Decimal("8.00"), billed_on),
    ]


def test_a_credit_whose_CDR_is_not_among_what_is_billed_waits_for_it() -> None:
    planned = plan(SELLER, OCTOBER, [(COMPANY, [priced("5.00", 1, kind="credit")])])
    assert (planned.netted, planned.nothing, planned.drafts) == ((), (), ())


def test_B19_what_came_to_nothing_is_on_no_invoice() -> None:
    planned = plan(SELLER, OCTOBER, [(COMPANY, [priced("0.00", 1), priced("4.00", 2)])])
    assert planned.nothing == (PositionKey("S1", 1, "cdr"),)
    assert [line.session_id for line in planned.drafts[0].invoice.lines] == ["S2"]


def test_a_document_is_chained_to_the_one_before_it() -> None:
    first, series = freeze(DRAFT, Series(prefix="2026", next_number=1))
    second, after = freeze(DRAFT, series)
    assert (first.invoice.number, second.invoice.number, after.next_number) == ("20260000001", "20260000002", 3)
    assert first.previous_hash is None
    assert second.previous_hash == first.hash == sha256(first.content).digest()
    assert second.hash == after.last_hash == sha256(first.hash + second.content).digest()
    assert msgspec.json.decode(second.content, type=type(DRAFT)) == second.invoice


def test_a_reference_with_a_digit_wrong_is_refused() -> None:
    good = ocr("20260001234")
    assert good == "2026000123433"
    for place, digit in enumerate(good):
        assert not is_ocr(good[:place] + str((int(digit) + 1) % 10) + good[place + 1 :])


def test_what_is_no_month_is_refused() -> None:
    with pytest.raises(Invalid, match="not a month"):
        period_of("2026-13", SELLER, datetime(2026, 11, 5, tzinfo=UTC))
