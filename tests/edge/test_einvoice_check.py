"""What does `laddbok einvoice check` tell, and what does the doctor know of the rules?"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from laddbok.billing.en16931_xml import to_ubl
from laddbok.cli import main
from laddbok.settings import read_settings
from laddbok.verbs import doctor
from laddbok.wires.einvoice_rules import EN_16931, PEPPOL
from tests.rules.billing.documents import simple

needs_saxon = pytest.mark.skipif(find_spec("saxonche") is None, reason="the extra einvoice is not installed")


@pytest.fixture
def folder(shared_data: Path) -> Path:
    return shared_data / "en16931"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "invoice.xml"
    path.write_bytes(to_ubl(simple()))
    return path


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def checked(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code = main(["einvoice", "check", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


@needs_saxon
def test_a_right_one_has_no_findings(file: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = checked(capsys, file, "--rules", folder)
    assert (code, told["document"], told["number"]) == (0, "Invoice", "20260001")
    assert (told["errors"], told["warnings"], told["findings"]) == (0, 0, [])
    assert [layer["name"] for layer in told["layers"]] == ["EN 16931", "Peppol BIS Billing 3"]


@needs_saxon
def test_a_wrong_one_is_an_error(file: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(file, ">66.55</cbc:PayableAmount>", ">66.50</cbc:PayableAmount>")
    code, told = checked(capsys, file, "--rules", folder)
    assert (code, told["errors"], [each["rule"] for each in told["findings"]]) == (1, 1, ["BR-CO-16"])


@needs_saxon
def test_a_warning_is_told_and_is_no_error(file: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(file, "9912346", "991-2346")
    assert main(["einvoice", "check", str(file), "--rules", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "warning  SE-R-008" in out
    assert "0 errors, 1 warnings; rules that ran: EN 16931 1." in out


@needs_saxon
def test_the_setting_names_the_folder(
    file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LADDBOK_EINVOICE_RULES", str(folder))
    assert checked(capsys, file)[1]["errors"] == 0


def test_without_rules_it_is_an_error_and_no_report(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["einvoice", "check", str(file), "--rules", str(tmp_path), "--json"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "no e-invoice can be checked" in told.err


def test_what_is_no_e_invoice_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.xml"
    path.write_text("<!DOCTYPE a><a/>", encoding="utf-8")
    assert main(["einvoice", "check", str(path), "--rules", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "laddbok: e-invoice: has a document type (DTD), which no e-invoice may have\n"


def told_by_doctor(tmp_path: Path, rules: Path | None) -> tuple[bool, str]:
    named = {"LADDBOK_EINVOICE_RULES": str(rules)} if rules else {}
    [found] = doctor.einvoice_rules(read_settings({"LADDBOK_DATA": str(tmp_path), **named}))
    return found["ok"], found["detail"]


def test_the_doctor_minds_no_rules_where_none_are_wanted(tmp_path: Path) -> None:
    assert told_by_doctor(tmp_path, None) == (True, f"none in {tmp_path}/einvoice-rules: e-invoices are refused")


@needs_saxon
def test_the_doctor_names_rules_that_are_wanted_and_missing(tmp_path: Path) -> None:
    (tmp_path / "einvoice-rules").mkdir()
    (tmp_path / "einvoice-rules" / PEPPOL.file).write_text(PEPPOL.rule, encoding="utf-8")
    for rules in (None, tmp_path / "einvoice-rules"):
        ok, detail = told_by_doctor(tmp_path, rules)
        assert not ok and detail.startswith(f"{EN_16931.file} not in ")


@needs_saxon
def test_the_doctor_tells_the_versions(tmp_path: Path, folder: Path) -> None:
    ok, detail = told_by_doctor(tmp_path, folder)
    assert ok and detail.startswith("EN 16931 1.") and "Peppol BIS Billing 3 20" in detail


@needs_saxon
def test_the_doctor_sees_rules_under_another_name(tmp_path: Path, folder: Path) -> None:
    for name in (EN_16931.file, PEPPOL.file):
        (tmp_path / name).symlink_to(folder / EN_16931.file)
    ok, detail = told_by_doctor(tmp_path, tmp_path)
    assert not ok and "these are not the rules of Peppol BIS Billing 3" in detail
