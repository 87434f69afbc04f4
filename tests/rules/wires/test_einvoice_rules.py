"""Do the official rules run, and is everything caught that they forbid?

These tests need the official rules (LADDBOK_SHARED_DATA) and the extra `einvoice`; those about what is missing need neither.
"""

import re
import sys
import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from laddbok.billing.books import with_books
from laddbok.billing.check import check
from laddbok.billing.einvoice_fields import FIELDS
from laddbok.billing.einvoice_findings import missing
from laddbok.billing.en16931_xml import to_ubl
from laddbok.billing.examples import FINAL
from laddbok.model.exchange import ExchangeRate
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.wires.einvoice_check import einvoice_findings
from laddbok.wires.einvoice_rules import (
    BILLING_LAYERS,
    EN_16931,
    PEPPOL,
    PEPPOL_SELF_BILLING,
    EinvoiceRulesFailed,
    EinvoiceRulesMissing,
    Layer,
    OfficialRules,
    _saxon,
    findings_in,
    official_rules,
    version_of,
)
from tests.rules.billing.documents import BUYER, SELLER, document, documents, line, simple, thousand_lines


@pytest.fixture(scope="session")
def folder(shared_data: Path) -> Path:
    """The folder with the official rules, which are no part of the repository."""
    pytest.importorskip("saxonche", reason="the extra einvoice is not installed")
    if not (shared_data / "en16931").is_dir():
        pytest.skip("no official rules in the shared data")
    return shared_data / "en16931"


Published = list[tuple[Layer, Callable[[Any], str]]]


@pytest.fixture(scope="session")
def published(folder: Path) -> Published:
    """The stylesheets as they were published, with nothing around them: each gives its whole report of a document."""

    def run(stylesheet: Any) -> Callable[[Any], str]:
        return lambda node: str(stylesheet.transform_to_string(xdm_node=node))

    compile_file = _saxon().new_xslt30_processor().compile_stylesheet
    return [(layer, run(compile_file(stylesheet_file=str(folder / layer.file)))) for layer in BILLING_LAYERS]


@pytest.fixture(scope="session")
def rules(folder: Path) -> OfficialRules:
    return official_rules(folder)


def test_the_official_examples_pass(folder: Path, rules: OfficialRules) -> None:
    examples = sorted(folder.glob("peppol_examples/*.xml"))
    assert len(examples) >= 9
    assert [each.name for each in examples if rules.check(each.read_bytes()).findings] == []


def test_each_layer_tells_its_version(rules: OfficialRules) -> None:
    names = [name for name, version in rules.check(to_ubl(simple())).layers if version[0].isdigit()]
    assert names == ["EN 16931", "Peppol BIS Billing 3"]


def test_what_a_draft_makes_passes(rules: OfficialRules) -> None:
    assert einvoice_findings(FINAL, rules) == ()


def test_a_thousand_lines_pass(rules: OfficialRules) -> None:
    assert rules.check(to_ubl(thousand_lines())).findings == ()


def test_a_document_with_its_pdf_passes(rules: OfficialRules) -> None:
    assert rules.check(to_ubl(simple(), b"%PDF-1.7")).findings == ()


@settings(max_examples=60)
@given(invoice=documents)
def test_what_adds_up_passes_the_official_rules(rules: OfficialRules, invoice: Invoice) -> None:
    assert (check(invoice), missing(invoice)) == ((), ())
    assert rules.check(to_ubl(invoice)).findings == ()


Change = Callable[[str], str]


def swap(old: str, new: str, times: int = -1) -> Change:
    """A change that must find what it changes."""

    def change(text: str) -> str:
        assert old in text, old
        return text.replace(old, new, times)

    return change


def without(start: str, end: str) -> Change:
    def change(text: str) -> str:
        first = text.index(start)
        return text[:first] + text[text.index(end, first) + len(end) :]

    return change


def all_of(*changes: Change) -> Change:
    def change(text: str) -> str:
        for each in changes:
            text = each(text)
        return text

    return change


PERCENT = "<cbc:Percent>{}</cbc:Percent>"
COMPANY = '<cbc:CompanyID schemeID="0007">{}</cbc:CompanyID>'
MUTATIONS: dict[str, tuple[Change, set[str]]] = {
    "the VAT of the document": (
        swap('<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">13.31', '<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">13.30'),
        {"BR-CO-14", "BR-CO-15"},
    ),
    "the VAT of a rate, by more than a krona": (
        swap('53.24</cbc:TaxableAmount><cbc:TaxAmount currencyID="SEK">13.31', '53.24</cbc:TaxableAmount><cbc:TaxAmount currencyID="SEK">15.31'),
        {"BR-CO-14", "BR-CO-17", "BR-S-09"},
    ),
    "the seller's organisation number": (
        swap(COMPANY.format("5560360793"), COMPANY.format("5560360794")),
        {"SE-R-013", "PEPPOL-COMMON-R049"},
    ),
    "the customer's organisation number": (
        swap(COMPANY.format("2120001355"), COMPANY.format("2120001356")),
        {"PEPPOL-COMMON-R049"},
    ),
    "the seller's VAT number": (swap("SE556036079301", "SE5560360793"), {"SE-R-001"}),
    "what is said of F-skatt": (swap("GODKÄND FÖR F-SKATT", "F-skatt"), {"SE-R-005"}),
    "a bankgiro with its dash": (swap("9912346", "991-2346"), {"SE-R-008"}),
    "a bankgiro that is too short": (swap("9912346", "12346"), {"SE-R-009"}),
    "a rate that Sweden has not": (swap(PERCENT.format(25), PERCENT.format(24)), {"SE-R-006"}),
    "a rate that the amounts have not": (swap(PERCENT.format(25), PERCENT.format(6)), {"BR-CO-17", "BR-S-09"}),
    "a rate of the line alone": (swap(PERCENT.format(25) + "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory>", PERCENT.format(12) + "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory>"), {"BR-S-08"}),
    "no buyer reference": (without("<cbc:BuyerReference>", "</cbc:BuyerReference>"), {"PEPPOL-EN16931-R003"}),
    "no address on the network": (swap('<cbc:EndpointID schemeID="0007">2120001355</cbc:EndpointID>', ""), {"PEPPOL-EN16931-R010"}),
    "no address of the customer": (all_of(without("<cac:PostalAddress>", "</cac:PostalAddress>"), without("<cac:PostalAddress>", "</cac:PostalAddress>")), {"BR-08", "BR-10"}),
    "no tax number of the seller": (all_of(without("<cac:PartyTaxScheme>", "</cac:PartyTaxScheme>"), without("<cac:PartyTaxScheme>", "</cac:PartyTaxScheme>")), {"BR-S-02"}),
    "a line's amount": (swap('<cbc:LineExtensionAmount currencyID="SEK">53.24</cbc:LineExtensionAmount><cac:InvoicePeriod>', '<cbc:LineExtensionAmount currencyID="SEK">54.24</cbc:LineExtensionAmount><cac:InvoicePeriod>'), {"BR-CO-10", "PEPPOL-EN16931-R120"}),
    "a negative price": (swap(">53.24</cbc:PriceAmount>", ">-53.24</cbc:PriceAmount>"), {"BR-27", "PEPPOL-EN16931-R120"}),
    "what is to be paid": (swap(">66.55</cbc:PayableAmount>", ">66.56</cbc:PayableAmount>"), {"BR-CO-16"}),
    "a line outside the period": (swap("<cbc:StartDate>2026-10-07", "<cbc:StartDate>2026-09-07"), {"PEPPOL-EN16931-R110"}),
    "an empty element": (swap("<cbc:PaymentID>2026000105</cbc:PaymentID>", "<cbc:PaymentID/>"), {"PEPPOL-EN16931-R008"}),
    "another specification": (swap("#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0", ""), {"PEPPOL-EN16931-R004"}),
    "a unit that nobody knows": (swap('unitCode="KWH"', 'unitCode="KILO"'), {"BR-CL-23"}),
    "a currency that nobody knows": (swap("SEK", "SEQ"), {"BR-CL-04", "PEPPOL-EN16931-CL007"}),
    "a means of payment that is not Sweden's": (swap("<cbc:PaymentMeansCode>30", "<cbc:PaymentMeansCode>31"), {"SE-R-012"}),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_findings_alone_are_those_of_the_whole_report(
    name: str, rules: OfficialRules, published: Published
) -> None:
    xml = MUTATIONS[name][0](to_ubl(simple()).decode())
    node = _saxon().parse_xml(xml_text=xml.partition("?>")[2])
    whole = [finding for layer, report in published for finding in findings_in(report(node), layer)]
    assert whole
    assert list(rules.check(xml.encode()).findings) == whole


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_caught_with_the_id_of_its_rule(name: str, rules: OfficialRules) -> None:
    change, expected = MUTATIONS[name]
    changed = change(to_ubl(simple()).decode())
    assert expected <= {each.rule for each in rules.check(changed.encode()).findings}


IN_EURO = with_books(
    replace(simple(), currency="EUR"), "SEK", ExchangeRate(Decimal("11.0350"), date(2026, 10, 30), "ECB")
)
VAT_IN_SEK = '<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">146.88</cbc:TaxAmount></cac:TaxTotal>'


def test_a_document_in_euro_with_its_vat_in_kronor_passes(rules: OfficialRules) -> None:
    assert einvoice_findings(IN_EURO, rules) == ()
    assert rules.check(to_ubl(IN_EURO)).findings == ()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (swap(VAT_IN_SEK, ""), "BR-53"),
        (swap(VAT_IN_SEK, VAT_IN_SEK * 2), "PEPPOL-EN16931-R054"),
        (swap("146.88", "-146.88"), "PEPPOL-EN16931-R055"),
        (swap("<cbc:TaxCurrencyCode>SEK", "<cbc:TaxCurrencyCode>EUR"), "PEPPOL-EN16931-R005"),
        (swap(VAT_IN_SEK, VAT_IN_SEK.replace("SEK", "NOK")), "BR-53"),
        (swap("146.88", "146.875"), "UBL-DT-01"),
    ],
)
def test_a_mutation_of_the_vat_in_kronor_is_caught(change: Change, rule: str, rules: OfficialRules) -> None:
    changed = change(to_ubl(IN_EURO).decode())
    assert rule in {each.rule for each in rules.check(changed.encode()).findings}


def test_every_rule_that_we_have_words_for_is_official(folder: Path) -> None:
    text = "".join((folder / layer.file).read_text(encoding="utf-8") for layer in BILLING_LAYERS)
    assert [rule for rule in FIELDS if not re.search(rf"[>\"]{rule}[<\"]", text)] == []


def test_an_amount_that_is_none_is_never_a_document_without_errors(rules: OfficialRules) -> None:
    changed = swap(">66.55</cbc:PayableAmount>", ">a lot</cbc:PayableAmount>")(to_ubl(simple()).decode())
    with pytest.raises(EinvoiceRulesFailed, match="a lot"):
        rules.check(changed.encode())


def test_a_finding_tells_where_and_what(rules: OfficialRules) -> None:
    changed = swap(">53.24</cbc:PriceAmount>", ">-53.24</cbc:PriceAmount>")(to_ubl(simple()).decode())
    findings = {each.rule: each for each in rules.check(changed.encode()).errors}
    assert findings["BR-27"].location == "/Invoice[1]/InvoiceLine[1]"
    assert findings["BR-27"].message == "The Item net price (BT-146) shall NOT be negative."
    assert findings["PEPPOL-EN16931-R120"].layer == "Peppol BIS Billing 3"


def test_a_bankgiro_with_its_dash_is_a_warning_of_theirs_and_an_error_of_ours(rules: OfficialRules) -> None:
    changed = MUTATIONS["a bankgiro with its dash"][0](to_ubl(simple()).decode())
    checked = rules.check(changed.encode())
    assert ([each.severity for each in checked.findings], checked.errors) == (["warning"], ())
    assert [each.rule for each in missing(simple(seller=replace(SELLER, bankgiro="991-23x6")))] == ["SE-R-009"]


def test_what_is_missing_is_said_of_the_customer_before_the_rules_are_asked(rules: OfficialRules) -> None:
    assert einvoice_findings(simple(), rules) == ()
    [found] = einvoice_findings(simple(buyer=replace(BUYER, endpoint=None)), rules)
    assert (found.rule, found.id, found.field) == ("PEPPOL-EN16931-R010", "kommunen", "buyer.endpoint")


def test_an_official_finding_is_said_in_our_words(rules: OfficialRules) -> None:
    """A country that doesn't exist has the shape of one, so that only the official rules know."""
    nowhere = replace(BUYER.address, country="XY") if BUYER.address else None
    found = einvoice_findings(simple(buyer=replace(BUYER, address=nowhere)), rules)
    assert [(each.rule, each.field) for each in found] == [("BR-CL-14", "buyer.address.country")]


def test_a_character_that_cant_be_written_is_a_finding(rules: OfficialRules) -> None:
    [found] = einvoice_findings(simple(buyer=replace(BUYER, name="Bil\x0bpool")), rules)
    assert (found.rule, found.field) == ("LADDBOK-CHARACTER", "buyer.name")


def test_rules_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(EinvoiceRulesMissing, match=r"EN16931-UBL-validation\.xslt, PEPPOL-EN16931-UBL\.xslt"):
        OfficialRules(tmp_path).check(to_ubl(simple()))


def test_one_layer_alone_is_not_enough(folder: Path, tmp_path: Path) -> None:
    (tmp_path / EN_16931.file).symlink_to(folder / EN_16931.file)
    with pytest.raises(EinvoiceRulesMissing, match=r"rules PEPPOL-EN16931-UBL\.xslt are not in"):
        OfficialRules(tmp_path).check(to_ubl(simple()))


def test_without_the_extra_it_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "saxonche", None)
    with pytest.raises(EinvoiceRulesMissing, match="extra einvoice"):
        OfficialRules(folder).check(to_ubl(simple()))


EMPTY_STYLESHEET = """<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<!-- {} --><xsl:template match="/">{}</xsl:template></xsl:stylesheet>"""


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        ("", "gave no report|can't be read"),
        ("<report/>", "no rule was applied"),
        ('<svrl:schematron-output xmlns:svrl="http://purl.oclc.org/dsdl/svrl"/>', "no rule was applied"),
        ('<xsl:message terminate="yes">enough</xsl:message>', "broke off"),
        ('<xsl:value-of select="1 div 0"/>', "broke off"),
        ("<xsl:nothing/>", "can't be compiled"),
        ("<unclosed>", "can't be compiled"),
    ],
)
def test_a_layer_that_does_not_run_is_an_error(body: str, trouble: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / EN_16931.file).symlink_to(folder / EN_16931.file)
    (tmp_path / PEPPOL.file).write_text(EMPTY_STYLESHEET.format(PEPPOL.rule, body))
    with pytest.raises(EinvoiceRulesFailed, match=trouble):
        OfficialRules(tmp_path).check(to_ubl(simple()))


def test_rules_under_another_name_are_an_error(folder: Path, tmp_path: Path) -> None:
    for layer in BILLING_LAYERS:
        (tmp_path / layer.file).symlink_to(folder / EN_16931.file)
    with pytest.raises(EinvoiceRulesFailed, match="these are not the rules of Peppol BIS Billing 3"):
        OfficialRules(tmp_path).check(to_ubl(simple()))


def test_rules_that_cant_be_read_are_an_error(tmp_path: Path) -> None:
    (tmp_path / PEPPOL.file).write_bytes(b"\xff\xfe")
    with pytest.raises(EinvoiceRulesFailed, match="can't be read"):
        version_of(tmp_path / PEPPOL.file, PEPPOL)


@pytest.mark.parametrize("report", ["", "<a>", "<a/>"])
def test_a_report_that_is_none_is_an_error(report: str) -> None:
    with pytest.raises(EinvoiceRulesFailed, match="EN 16931"):
        findings_in(report, EN_16931)


def test_a_self_billed_invoice_needs_its_own_rules(rules: OfficialRules) -> None:
    with pytest.raises(EinvoiceRulesMissing, match=PEPPOL_SELF_BILLING.file):
        rules.check(to_ubl(document([line("1", "2", "2")], InvoiceKind.SELF_BILLED)))


def test_a_self_billed_invoice_is_checked_by_its_own_rules(folder: Path, tmp_path: Path) -> None:
    """Those for billing, under the name of self-billing: all that they have against the document is its type."""
    (tmp_path / EN_16931.file).symlink_to(folder / EN_16931.file)
    own = (folder / PEPPOL.file).read_text(encoding="utf-8").replace("poacc:billing:", "poacc:selfbilling:")
    (tmp_path / PEPPOL_SELF_BILLING.file).write_text(own, encoding="utf-8")
    checked = OfficialRules(tmp_path).check(to_ubl(document([line("1", "2", "2")], InvoiceKind.SELF_BILLED)))
    assert [name for name, _ in checked.layers] == ["EN 16931", "Peppol BIS Self-Billing 3"]
    assert [each.rule for each in checked.findings] == ["PEPPOL-EN16931-P0100"]


def test_many_threads_get_each_its_own_answer(rules: OfficialRules) -> None:
    right = to_ubl(simple())
    wrong = MUTATIONS["no buyer reference"][0](right.decode()).encode()
    found: dict[int, list[str]] = {}

    def run(number: int) -> None:
        documents = [wrong if number % 2 else right] * 4
        found[number] = [finding.rule for each in documents for finding in rules.check(each).findings]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: ["PEPPOL-EN16931-R003"] * 4 if number % 2 else [] for number in range(4)}


def test_B47_passes_as_it_stands_in_the_cases(rules: OfficialRules) -> None:
    totals = simple().totals
    assert (totals.net, totals.vat, totals.gross) == (Decimal("53.24"), Decimal("13.31"), Decimal("66.55"))
    assert einvoice_findings(simple(), rules) == ()
