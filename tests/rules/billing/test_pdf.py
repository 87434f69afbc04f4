"""Does a PDF say all that the law wants, in the same bytes wherever it is made, with the e-invoice inside?"""

import os
import re
import subprocess
import sys
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing import pdf as typesetting
from laddbok.billing.apartment_list import apartment_csv
from laddbok.billing.en16931_xml import to_ubl
from laddbok.billing.invoice_page import LINES_ONE_BY_ONE, invoice_page
from laddbok.billing.list_page import apartment_page, home_page
from laddbok.billing.page_text import day_text, grouped, money_text, rounded, span_text
from laddbok.billing.payment_qr import payment_json
from laddbok.billing.pdf import invoice_pdf, shown
from laddbok.billing.session_page import QUARTERS_FOR
from laddbok.model.apartment_share import ApartmentShare
from laddbok.model.invoice import Invoice, InvoiceKind, Text, VatRate
from laddbok.model.rated import LineKind, RatedLine
from laddbok.rating.explain import told
from tests.rules.billing import papers
from tests.rules.billing.pdf_text import embedded, page_texts

ONE = papers.one_session()
ROOT = Path(__file__).resolve().parents[3]
ANEW = """
from hashlib import sha256
from laddbok.billing.pdf import invoice_pdf
from laddbok.rating.explain import told
from tests.rules.billing.papers import company_month
print(sha256(invoice_pdf(company_month("sv", 20), told)).hexdigest())
"""


def text_of(invoice: Invoice, xml: bytes | None = None) -> str:
    return " ".join(page_texts(invoice_pdf(invoice, told, xml)))


def squeezed(text: str) -> str:
    """Without blanks: a page breaks its lines where it must."""
    return re.sub(r"\s+", "", text)


def test_the_same_content_gives_the_same_bytes_in_another_process_too() -> None:
    made = invoice_pdf(papers.company_month("sv", 20), told)
    assert invoice_pdf(papers.company_month("sv", 20), told) == made
    hashes = {
        subprocess.run(
            [sys.executable, "-c", ANEW], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for seed, zone in (("1", "UTC"), ("2", "America/New_York"))
    }  # fmt: skip
    assert hashes == {sha256(made).hexdigest()}


def test_it_is_a_pdf_a_3_with_the_e_invoice_inside() -> None:
    invoice = papers.company_month("en", 3)
    xml = to_ubl(invoice)
    made = invoice_pdf(invoice, told, xml)
    assert embedded(made) == [xml]
    assert b"<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B" in made
    assert b"/AFRelationship/Alternative" in made
    assert typesetting.E_INVOICE_NAME.encode() in made
    assert embedded(invoice_pdf(invoice, told)) == []


def test_the_date_inside_is_that_of_issue() -> None:
    assert b"/CreationDate(D:20261103" in invoice_pdf(papers.one_session(), told)


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("make", [papers.one_session, papers.company_month, papers.credit_note, papers.spot_invoice])
def test_every_field_of_the_law_stands_on_it(make: object, language: str) -> None:
    assert callable(make)
    invoice: Invoice = make(language)
    seller, buyer = invoice.seller, invoice.buyer
    text = squeezed(text_of(invoice))
    address = buyer.address
    assert address is not None
    wanted = [
        invoice.number, day_text(invoice.issue_date, language), seller.name, seller.vat_number, seller.address.street,
        seller.address.city, "556036-0793", "Godkänd för F-skatt", buyer.name, address.street, address.city,
        *((buyer.vat_number, "202100-5489") if buyer.vat_number else ()),
        *(money_text(amount, "SEK", language) for amount in (invoice.totals.net, invoice.totals.vat, invoice.totals.gross)),
        money_text(invoice.totals.payable, "SEK", language), "25 %",
        *((day_text(invoice.due_date, language), invoice.payment_reference, "991-2346")
          if invoice.kind is InvoiceKind.INVOICE else ()),
    ]  # fmt: skip
    assert [each for each in wanted if squeezed(each or "-") not in text] == []


def test_every_session_stands_in_the_appendix_with_registers_lines_and_proof() -> None:
    invoice = papers.company_month("sv", 60)
    text = squeezed(text_of(invoice))
    for each in invoice.sessions:
        assert text.count(each.session_id) == 1
        assert each.root is not None
        assert squeezed(f"bevis {each.root}") in text
        assert each.begin_wh is not None
        assert squeezed(f"mätare {grouped(Decimal(each.begin_wh).scaleb(-3), 3, 'sv')} →") in text
        for line in each.rated:
            assert squeezed(told(line, "SEK", "sv").replace(" x ", " × ")) in text


def test_no_page_ends_within_a_session() -> None:
    for page in page_texts(invoice_pdf(papers.company_month("sv", 60), told))[1:]:
        ids = re.findall(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", page)
        assert len(ids) == len(re.findall(r"bevis [0-9a-f]{64}", page)) == page.count("mätare")
        assert page.count("Specifikation av laddningar") == 1


def test_many_lines_are_summed_up_by_cost_centre_and_the_sums_are_theirs() -> None:
    invoice = papers.company_month("sv", 60)
    rows = invoice_page(invoice, told)["lines"]["rows"]
    assert [row[0].split(" · ")[0] for row in rows] == [
        "Kostnadsställe 4100", "Kostnadsställe 4200", "Utan kostnadsställe",
    ]  # fmt: skip
    nets = [Decimal(row[-1].replace("\u00a0", "").replace(",", ".")) for row in rows]
    assert sum(nets) == invoice.totals.net
    assert sum(int(row[2]) for row in rows) == len(invoice.sessions)


def test_a_dozen_lines_stand_one_by_one() -> None:
    few, many = (papers.company_month("sv", LINES_ONE_BY_ONE + more) for more in (0, 1))
    assert len(invoice_page(few, told)["lines"]["rows"]) == LINES_ONE_BY_ONE
    assert len(invoice_page(many, told)["lines"]["rows"]) == 3


def test_I6_the_appendix_tells_the_difference_of_the_VAT_on_the_sum() -> None:
    invoice = papers.company_month("sv", 60)
    assert invoice.sessions_gross is not None
    difference = invoice.totals.gross - invoice.sessions_gross
    assert difference != 0
    steps = [amount for _, amount in invoice_page(invoice, told)["appendix"]["difference"]]
    assert steps == [grouped(difference, 2, "sv"), grouped(invoice.totals.gross, 2, "sv")]
    alone = papers.paper(papers.sessions(1))
    assert invoice_page(alone, told)["appendix"]["difference"] == []


def test_I6_a_month_fee_is_no_difference() -> None:
    invoice = papers.one_session()
    assert invoice.sessions_gross != invoice.totals.gross
    assert invoice_page(invoice, told)["appendix"]["difference"] == []


def test_a_spot_session_is_one_line_with_its_mean_price_and_its_quarters_in_a_table() -> None:
    invoice = papers.spot_invoice("en")
    [session] = invoice.sessions
    appendix = invoice_page(invoice, told)["appendix"]
    assert len(session.rated) == 96
    [(text, amount)] = appendix["rows"][0]["lines"]
    assert amount == grouped(session.net, 2, "en")
    mean = sum(line.price * line.quantity for line in session.rated if line.price) / session.energy_wh
    assert f"on average {money_text(rounded(mean, Decimal(1), 4), 'SEK', 'en')}/kWh" in text
    assert "grid fee 0.25 + energy tax 0.36; prices from elprisetjustnu" in text
    [quarters] = appendix["quarters"]
    assert [row[0] for row in quarters["rows"]][:3] == ["00:00", "00:15", "00:30"]
    assert len(quarters["rows"]) == 96
    one = replace(session, session_id="X")
    many = replace(invoice, sessions=(session, *[one] * QUARTERS_FOR))
    assert invoice_page(many, told)["appendix"]["quarters"] == []


def test_prices_with_VAT_are_told_with_amounts_with_VAT() -> None:
    made = papers.paper(papers.receipt().sessions and [papers.position(5, papers.cdr(5, papers.OCTOBER_AT, 42, 17_250),
        papers.compiled(papers.WITH_VAT))])  # fmt: skip
    [row] = invoice_page(made, told)["appendix"]["rows"]
    assert (row["incl_vat"], row["lines"]) == (True, [["energi: 17,25 kWh × 4,99 kr/kWh", "86,08"]])
    assert "=86,08inkl.moms" in squeezed(text_of(made))


def test_a_credit_note_says_what_it_takes_back_why_and_that_nothing_is_to_be_paid() -> None:
    text = text_of(papers.credit_note("en"))
    assert "It takes back amounts of invoice 10000004 of 3 October 2026 and is not to be paid." in text
    assert "Reason: The session was corrected" in text
    assert "Bankgiro 991-2346" in text  # of the seller, at the foot
    assert "Due date" not in text


def test_a_receipt_is_one_narrow_page_with_what_was_paid() -> None:
    invoice = papers.receipt()
    made = invoice_pdf(invoice, told)
    [page] = page_texts(made)
    assert "Betalt 86,08 kr" in page
    assert f"bevis {invoice.sessions[0].root}" in page
    assert b"/MediaBox[0 0 297.6378 " in made


def test_a_draft_says_that_it_is_none_and_how_to_pay_it_does_not_stand_on_it() -> None:
    draft = replace(ONE, number=None, payment_reference=None)
    text = text_of(draft)
    assert "Utkast: detta är ingen faktura." in text
    assert "Betala med bankens app" not in text
    assert "utkast" in text


def test_a_self_billed_invoice_says_that_the_buyer_wrote_it() -> None:
    text = text_of(papers.self_billed())
    assert "Självfakturering: köparen har ställt ut fakturan i säljarens namn." in text
    assert "Betalas ut 2 292,75 kr" in text
    assert payment_json(papers.self_billed()) is None


@pytest.mark.parametrize(
    ("category", "words"), [("AE", "Omvänd betalningsskyldighet"), ("E", "Undantag från mervärdesskatt")]
)
def test_why_there_is_no_VAT_stands_on_it(category: str, words: str) -> None:
    free = replace(papers.MONTH_FEE, vat=VatRate(category=category, percent=Decimal(0)))
    invoice = papers.paper([], charges=[free])
    assert words in text_of(invoice)


def test_endless_names_stay_in_their_columns() -> None:
    invoice = papers.endless_names()
    text = squeezed(text_of(invoice))
    for each in (invoice.buyer.name, invoice.buyer.buyer_reference, "S" * 60, "D" * 90):
        assert squeezed(each or "-") in text


def test_every_letter_that_is_said_to_be_there_is_there() -> None:
    """PDF/A refuses a letter without a glyph, so setting them all proves it."""
    letters = re.findall(f"[{typesetting._LETTERS}]", "".join(map(chr, range(0x20, 0xFFFE))))
    assert len(letters) > 2_000
    note = Text(sv="\u200b".join(letters), en="")
    assert invoice_pdf(replace(ONE, note=note), told).startswith(b"%PDF-1.7")


@pytest.mark.parametrize(
    "name", ["李小龍", "😀", "a\u0000b\u0007", "ﷺ\ue000", "\\u674e", 'Ett "namn"\\', "rad\nrad\tflik"]
)
def test_a_name_in_a_script_that_we_have_no_font_for_does_not_stop_the_invoice(name: str) -> None:
    invoice = replace(ONE, buyer=replace(ONE.buyer, name=f"Kund {name}"))
    assert "Kund" in text_of(invoice)


def test_what_is_written_as_an_escape_stays_what_it_says() -> None:
    page = {"name": 'a\\u0000 "b" \\\\ c\n', "strange": "\u0001\u674e"}
    decoded = msgspec.json.decode(shown(msgspec.json.encode(page).decode()))
    assert decoded == {"name": page["name"], "strange": "□□"}


@given(
    st.integers(-(10**12), 10**12), st.integers(1, 10**9).flatmap(lambda n: st.sampled_from((n, -n))), st.integers(0, 6)
)
def test_a_quotient_is_rounded_half_away_from_zero(numerator: int, denominator: int, decimals: int) -> None:
    found = rounded(Decimal(numerator), Decimal(denominator), decimals)
    off = abs(found * denominator - numerator) * 2
    assert off <= abs(denominator) * Decimal(1).scaleb(-decimals)
    if off == abs(denominator) * Decimal(1).scaleb(-decimals):
        assert abs(found * denominator) > abs(numerator)


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["sv", "en"]))
def test_an_amount_can_be_read_back(amount: Decimal, language: str) -> None:
    text = grouped(amount, 2, language).replace("−", "-")
    plain = text.replace("\u00a0", "").replace(",", ".") if language == "sv" else text.replace(",", "")
    assert Decimal(plain) == amount


def test_B2_the_hours_of_the_night_when_clocks_change_have_their_offset() -> None:
    from datetime import UTC, datetime

    start_at, end_at = datetime(2026, 10, 24, 23, 30, tzinfo=UTC), datetime(2026, 10, 25, 2, 30, tzinfo=UTC)
    assert span_text(start_at, end_at, "Europe/Stockholm", "en").replace("\u00a0", " ") == (
        "25 October 2026, 01:30 (UTC+0200)–03:30 (UTC+0100)"
    )


def test_an_apartment_list_sums_to_the_cost_in_file_and_page() -> None:
    shares = papers.shares(60)
    rows = [row.split(";") for row in apartment_csv(shares, "sv").decode("utf-8-sig").split("\r\n") if row]
    assert apartment_csv(shares, "sv").startswith(b"\xef\xbb\xbf")
    columns = list(zip(*(map(_number, row[1:]) for row in rows[1:]), strict=True))
    for *parts, total in columns:
        assert sum(parts) == total
    assert [total for *_, total in columns][1:] == [Decimal("4321.55"), Decimal("1080.39"), Decimal("5401.94")]
    page = apartment_page(shares, papers.list_head(), "SEK")
    assert page["payable"] == ["Månadens kostnad", money_text(Decimal("5401.94"), "SEK", "sv")]
    assert len(page["lines"]["rows"]) == 60


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def test_a_name_that_a_spreadsheet_takes_for_a_formula_is_harmless() -> None:
    share = ApartmentShare(apartment='=HYPERLINK("x")', energy_wh=1, net=Decimal("1.00"), vat=Decimal("0.25"))
    assert apartment_csv([share], "en").decode("utf-8-sig").split("\r\n")[1] == (
        '"\'=HYPERLINK(""x"")",0.001,1.00,0.25,1.25'
    )


def test_a_home_statement_sums_its_lines_at_the_price_of_each_day() -> None:
    refund = papers.refund()
    page = home_page(refund, papers.list_head("en"), "Anna Berg", "Europe/Stockholm")
    assert {row[3] for row in page["lines"]["rows"]} == {"1.85", "2.05"}
    assert sum(Decimal(row[-1]) for row in page["lines"]["rows"]) == refund.total
    assert page["sums"][-1] == grouped(refund.total, 2, "en")
    by_tariff = replace(refund, lines=(replace(refund.lines[0], per_kwh=None),))
    rows = home_page(by_tariff, papers.list_head(), "A", "Europe/Stockholm")["lines"]["rows"]
    assert rows[0][3] == "enligt tariff"


def test_a_line_names_what_it_is_for_but_a_limit_names_itself() -> None:
    line = RatedLine(
        kind=LineKind.MAX_PRICE, quantity=1, measured=1, price=Decimal(100), excl_vat=Decimal(-5), incl_vat=Decimal(-5),
        start_at=papers.OCTOBER_AT, end_at=papers.OCTOBER_AT,
    )  # fmt: skip
    assert told(line, "SEK", "sv") == "ner till högsta pris 100,00 kr"
    assert told(replace(line, kind=LineKind.FLAT), "SEK", "sv") == "startavgift: 1 x 100,00 kr"


@pytest.mark.parametrize("payable", ["0.00", "-1.00"])
def test_where_nothing_is_to_be_paid_it_says_so(payable: str) -> None:
    nothing = replace(ONE, totals=replace(ONE.totals, payable=Decimal(payable)))
    assert "Ingenting ska betalas." in text_of(nothing)
