"""Does an e-invoice keep the official rules?

The rules are those of CEN (EN 16931) and of Peppol, as published: stylesheets (XSLT 2) that list what is wrong with a UBL
document. They run in process, and are compiled once for a process. Where they are not there, or one of them did not
really run, that is an error with a name, never "no findings". They may not be passed on with this program: the operator
downloads them into a folder (docs/commands.md, laddbok einvoice check).

>>> missing_layers(Path("/nowhere"), BILLING_LAYERS)
('EN16931-UBL-validation.xslt', 'PEPPOL-EN16931-UBL.xslt')
"""

import re
import threading
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from laddbok.model.errors import LaddbokError
from laddbok.wires.einvoice_file import parsed

SELF_BILLING = ":selfbilling:"
"""How a document says, in BT-24, that it is under Peppol's rules for self-billing."""
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_FINDINGS = (f"{_SVRL}failed-assert", f"{_SVRL}successful-report")
_VERSION = re.compile(r"Schematron version ([\w.]+)|<dct:created>(\d{4}-\d\d-\d\d)")
_HEAD_CHARS = 20_000
"""Where in a stylesheet its version is looked for."""
_ONLY_FINDINGS = """<xsl:stylesheet version="3.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:svrl="http://purl.oclc.org/dsdl/svrl">
  <xsl:import href="{}"/>
  <xsl:output indent="no"/>
  <xsl:template match="/" priority="1">
    <xsl:variable name="report"><xsl:apply-imports/></xsl:variable>
    <xsl:for-each select="$report/*">
      <xsl:copy copy-namespaces="no">
        <xsl:copy-of copy-namespaces="no"
            select="svrl:active-pattern[1], svrl:fired-rule[1], svrl:failed-assert, svrl:successful-report"/>
      </xsl:copy>
    </xsl:for-each>
  </xsl:template>
</xsl:stylesheet>"""
"""The published stylesheet as it is, of whose report only the findings are written out, and a sign that rules were applied:
the report of an invoice of twenty lines has 100 kB, nearly all of it the rules that were kept."""
_NAMESPACE = re.compile(r"Q\{[^}]*\}|\[namespace-uri\(\)='[^']*'\]|\*:")


class EinvoiceRulesMissing(LaddbokError):
    """The official rules, or what runs them, are not installed: no e-invoice can be checked."""


class EinvoiceRulesFailed(LaddbokError):
    """A layer of the official rules did not run to its end, so that nothing is known of the document."""


class Layer(msgspec.Struct, frozen=True):
    """A published set of rules: its name, its file, and a rule that must be in that file."""

    name: str
    file: str
    rule: str


EN_16931 = Layer("EN 16931", "EN16931-UBL-validation.xslt", "BR-CO-15")
PEPPOL = Layer("Peppol BIS Billing 3", "PEPPOL-EN16931-UBL.xslt", "SE-R-013")
PEPPOL_SELF_BILLING = Layer("Peppol BIS Self-Billing 3", "PEPPOL-EN16931-UBL-SB.xslt", ":selfbilling:")
BILLING_LAYERS = (EN_16931, PEPPOL)
SELF_BILLING_LAYERS = (EN_16931, PEPPOL_SELF_BILLING)


class RuleFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One official rule that a document breaks. `severity` is error or warning; `location` is its path in the XML."""

    layer: str
    rule: str
    severity: str
    location: str
    message: str


class Checked(msgspec.Struct, frozen=True):
    """What the official rules say of a document, and which layers said it: `name, version`."""

    layers: tuple[tuple[str, str], ...]
    findings: tuple[RuleFinding, ...]

    @property
    def errors(self) -> tuple[RuleFinding, ...]:
        """The findings for which a document is refused."""
        return tuple(each for each in self.findings if each.severity == "error")


class OfficialRules:
    """The official rules of a folder, compiled when they are first used.

    May be used from any thread; one document is checked at a time, for the processor is one per process. While it checks, no
    other Python runs in the process (about 10 ms, a second for a thousand lines): it belongs into a worker or a command.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._compiled: dict[Layer, tuple[Any, str]] = {}
        self._lock = threading.Lock()

    def check(self, xml: bytes) -> Checked:
        """What each layer says of a document.

        Raises: Invalid when it is no UBL invoice that may be read (`wires.einvoice_file.parsed`); EinvoiceRulesMissing;
            EinvoiceRulesFailed.
        Source: EN 16931-1 and Peppol BIS Billing 3, their validation artefacts.
        """
        document = parsed(xml)
        layers = SELF_BILLING_LAYERS if SELF_BILLING in document.customization else BILLING_LAYERS
        with self._lock:
            self._compile(layers)
            node = _saxon().parse_xml(xml_text=document.text)
            reports = [(layer, _run(layer, self._compiled[layer][0], node)) for layer in layers]
        findings = tuple(finding for layer, report in reports for finding in findings_in(report, layer))
        return Checked(tuple((layer.name, self._compiled[layer][1]) for layer in layers), findings)

    def _compile(self, layers: tuple[Layer, ...]) -> None:
        wanted = [layer for layer in layers if layer not in self._compiled]
        if not wanted:
            return
        if missing := missing_layers(self._folder, tuple(wanted)):
            raise EinvoiceRulesMissing(
                f"the official rules {', '.join(missing)} are not in {self._folder}: no e-invoice can be checked; "
                "see docs/commands.md, laddbok einvoice check"
            )
        require_saxon()
        for layer in wanted:
            path = self._folder / layer.file
            version = version_of(path, layer)
            try:
                wrapped = _ONLY_FINDINGS.format(path.absolute().as_uri())
                stylesheet = _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_text=wrapped)
            except Exception as error:
                raise EinvoiceRulesFailed(f"the rules {path} can't be compiled: {_line(error)}") from None
            self._compiled[layer] = (stylesheet, version)


@cache
def official_rules(folder: Path) -> OfficialRules:
    """The rules of a folder, compiled once in a process."""
    return OfficialRules(folder)


def missing_layers(folder: Path, layers: tuple[Layer, ...]) -> tuple[str, ...]:
    """The files of these layers that are not in the folder."""
    return tuple(layer.file for layer in layers if not (folder / layer.file).is_file())


def version_of(path: Path, layer: Layer) -> str:
    """The version of a layer, as its file tells it: a number, or the day on which it was made.

    Raises: EinvoiceRulesFailed when it can't be read, or is another file under this name.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EinvoiceRulesFailed(f"the rules {path} can't be read: {error}") from None
    if layer.rule not in text:
        raise EinvoiceRulesFailed(f"{path} has no rule {layer.rule}: these are not the rules of {layer.name}")
    found = _VERSION.search(text[:_HEAD_CHARS])
    return (found[1] or found[2]) if found else "of unknown version"


def require_saxon() -> None:
    """Raises: EinvoiceRulesMissing without the extra `einvoice`, which runs the rules."""
    try:
        import saxonche  # noqa: F401
    except ImportError as error:
        raise EinvoiceRulesMissing(
            "e-invoices can't be checked without the extra einvoice: pip install 'laddbok[einvoice]'"
        ) from error


def findings_in(report: str, layer: Layer) -> list[RuleFinding]:
    """The findings in a layer's report (SVRL).

    Raises: EinvoiceRulesFailed when it is none, or tells of no rule that was applied.
    Source: ISO/IEC 19757-3:2016, annex D.
    """
    from lxml import etree

    try:
        root = etree.fromstring(report.encode("utf-8"), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise EinvoiceRulesFailed(f"{layer.name}: its report can't be read: {_line(error)}") from None
    tags = {child.tag for child in root if isinstance(child.tag, str)}
    if root.tag != f"{_SVRL}schematron-output" or not {f"{_SVRL}active-pattern", f"{_SVRL}fired-rule"} <= tags:
        raise EinvoiceRulesFailed(f"{layer.name}: no rule was applied to the document, so nothing is known of it")
    return [_finding(child, layer) for child in root if child.tag in _FINDINGS]


def _finding(node: Any, layer: Layer) -> RuleFinding:
    severity = node.get("flag") or node.get("role") or "fatal"
    message = " ".join((node.findtext(f"{_SVRL}text") or "").split())
    rule = node.get("id") or "without id"
    return RuleFinding(
        layer=layer.name,
        rule=rule,
        severity="warning" if severity in ("warning", "info", "information") else "error",
        location=_NAMESPACE.sub("", node.get("location") or ""),
        message=message.removeprefix(f"[{rule}]").removeprefix("-").strip(),
    )


def _run(layer: Layer, stylesheet: Any, node: Any) -> str:
    try:
        report = stylesheet.transform_to_string(xdm_node=node)
    except Exception as error:
        raise EinvoiceRulesFailed(f"{layer.name}: the rules broke off: {_line(error)}") from None
    if not isinstance(report, str) or not report:
        raise EinvoiceRulesFailed(f"{layer.name}: the rules gave no report")
    return report


@cache
def _saxon() -> Any:
    """The one XSLT processor of this process: what one has read or compiled, no other can use."""
    from saxonche import PySaxonProcessor

    return PySaxonProcessor(license=False)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
