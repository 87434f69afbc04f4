"""Is what was changed in an evidence file named, and is any file answered in one clear line?"""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from laddbok.flow.evidence_file import MAX_FILE_BYTES, items_in, leaves_of, write
from laddbok.flow.proof import as_proven, canonical, root_of, signed_readings
from laddbok.flow.recheck import Rechecked, recheck
from laddbok.model.errors import Invalid
from laddbok.model.proof import Checked, SignatureVerdict, SignedReading
from laddbok.wires.ocmf import check_reading
from tests.rules.flow.test_proof import (
    a_charge_that_gave_way,
    a_plain_charge,
    made_again,
    settled,
    stories,
)
from tests.rules.sessions.stage import Stage

OCMF = 'OCMF|{"RD":[{"TX":"E","RV":5,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}]}|{"SD":"00"}'


def file_of(stage: Stage, number: int = 0) -> bytes:
    evidence, proof = settled(stage)[number]
    _, items = made_again(evidence, proof)
    readings = signed_readings(as_proven(evidence, proof, 1).frames)
    return write(items, [(each, check_reading(each)) for each in readings], None)


def a_signed_charge() -> Stage:
    stage = Stage()
    stage.starts_16(1000)
    signed = {"value": OCMF, "format": "SignedData"}
    values = [{"timestamp": "2026-03-02T12:05:00Z", "sampledValue": [{"value": "5000"}, signed]}]
    stage.stops_16(5000, transactionData=values)
    return stage


def checked(text: bytes) -> Rechecked:
    return recheck(text, check_reading)


def changed(text: bytes, change: Callable[[Any], None]) -> bytes:
    plain = json.loads(text)
    change(plain)
    return canonical(plain) + b"\n"


def rehashed(text: bytes) -> bytes:
    """The same with leaves and root computed anew, as whoever changed it would."""

    def rehash(plain: Any) -> None:
        leaves = leaves_of(items_in(plain))
        plain["leaves"], plain["root"] = [each.hex() for each in leaves], root_of(leaves).hex()

    return changed(text, rehash)


def in_raw(item: Any, old: str, new: str) -> None:
    raw = msgspec.convert(item["raw"], bytes)
    assert old.encode() in raw
    item["raw"] = msgspec.to_builtins(raw.replace(old.encode(), new.encode()))


def differences(text: bytes) -> list[tuple[str, str]]:
    return [(each.what, each.text) for each in checked(text).differences]


@stories
def test_what_we_write_follows(story: Any) -> None:
    stage = story()
    for number in range(len(settled(stage))):
        assert differences(file_of(stage, number)) == []


def test_it_is_one_canonical_document_and_always_the_same() -> None:
    text = file_of(a_plain_charge())
    assert text == file_of(a_plain_charge())
    assert canonical(json.loads(text)) + b"\n" == text
    assert not [number for number in _numbers(json.loads(text)) if isinstance(number, float)]


def _numbers(value: Any) -> Any:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)
    elif isinstance(value, int | float):
        yield value


def test_the_program_in_the_document_finds_the_same_root(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/evidence-file.md").read_text(encoding="utf-8")
    program = textwrap.dedent(page.partition("in Python:\n\n")[2].partition("\n## ")[0])
    assert "hashlib" in program
    for story in (a_plain_charge, a_charge_that_gave_way, a_signed_charge):
        (tmp_path / "evidence.json").write_bytes(file_of(story()))
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    text = changed(file_of(a_plain_charge()), lambda plain: plain["session"].update(station="CP-2"))
    (tmp_path / "evidence.json").write_bytes(text)
    assert (
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False, capture_output=True).returncode == 1
    )


@pytest.mark.parametrize("hashes", [False, True])
def test_a_changed_digit_in_a_reading_names_the_frame(hashes: bool) -> None:
    text = changed(file_of(a_plain_charge()), lambda plain: in_raw(plain["frames"][1], "3000", "3001"))
    told = differences(rehashed(text) if hashes else text)
    if not hashes:
        assert told[0][0] == "frame"
        assert "12:10:02" in told[0][1] and "MeterValues" in told[0][1] and "number 3" in told[0][1]
    assert ("cdr", "the CDR, charging period 1: energy_wh says 2991, it comes to 2992") in told


@pytest.mark.parametrize("hashes", [False, True])
def test_a_changed_digit_in_the_tariff_names_the_tariff(hashes: bool) -> None:
    def change(plain: Any) -> None:
        plain["tariff"]["document"]["elements"][0]["price_components"][0]["price"] = "3.21"

    text = changed(file_of(a_plain_charge()), change)
    told = differences(rehashed(text) if hashes else text)
    if not hashes:
        assert told[0] == ("tariff", "the tariff T, version 1, is not what was hashed: it was changed afterwards")
    assert ("rating", "the price, line 1 (energy): price says 3.20, it comes to 3.21") in told


@pytest.mark.parametrize("hashes", [False, True])
def test_a_changed_price_names_the_line_or_the_total(hashes: bool) -> None:
    def change_line(plain: Any) -> None:
        plain["rating"]["lines"][0]["excl_vat"] = "12.81"

    def change_total(plain: Any) -> None:
        plain["rating"]["incl_vat"] = "16.01"

    for change, where in ((change_line, "line 1 (energy): excl_vat"), (change_total, "incl_vat")):
        text = changed(file_of(a_plain_charge()), change)
        told = differences(rehashed(text) if hashes else text)
        assert [what for what, _ in told] == (["rating"] if hashes else ["rating", "root", "rating"])
        assert where in told[-1][1]


def test_a_changed_usage_is_found_in_the_cdr_and_its_price() -> None:
    text = changed(file_of(a_plain_charge()), lambda plain: plain["cdr"].update(energy_wh=5000))
    told = differences(rehashed(text))
    assert ("cdr", "the CDR: energy_wh says 5000, it comes to 4000") in told


def test_a_changed_session_or_decision_is_named() -> None:
    text = file_of(a_plain_charge())
    told = differences(rehashed(changed(text, lambda plain: plain["session"].update(station="CP-2"))))
    assert told == [("session", "the session: station says CP-2, it comes to CP-1")]
    told = differences(changed(text, lambda plain: plain["decisions"][0].update(decided_by="anna")))
    assert told[0][0] == "decision" and "facts" in told[0][1]


def test_what_is_taken_out_or_put_in_is_noticed() -> None:
    text = file_of(a_plain_charge())
    told = differences(changed(text, lambda plain: plain["frames"].pop(1)))
    assert told[0][0] == "leaves"
    told = differences(rehashed(changed(text, lambda plain: plain["frames"].pop(0))))
    assert [what for what, _ in told] == ["session"]
    foreign = json.loads(file_of(a_charge_that_gave_way(), 1))["frames"][1]
    told = differences(rehashed(changed(text, lambda plain: plain["frames"].insert(2, foreign | {"seq": 4}))))
    assert [what for what, _ in told] == ["frame"]


def test_a_change_with_all_that_follows_from_it_has_another_root() -> None:
    """Arithmetic can't tell; only the root on the receipt, or the signature, can."""
    stage = Stage()
    stage.boots_16()
    stage.starts_16(1000)
    stage.reads_16(3000)
    stage.status_16("Charging", connector_id=2)
    stage.stops_16(4999)
    forged, genuine = checked(file_of(stage)), checked(file_of(a_plain_charge()))
    assert not forged.differences and not genuine.differences
    assert forged.root != genuine.root


def test_signed_readings_are_checked_again() -> None:
    text = file_of(a_signed_charge())
    assert [each.verdict for each in checked(text).signed] == [SignatureVerdict.NOT_VERIFIABLE]
    told = differences(changed(text, lambda plain: plain["signed"][0].update(verdict="valid")))
    assert told == [("signed", "signed reading 1: the file says valid, it is not_verifiable")]
    told = differences(changed(text, lambda plain: plain["signed"].pop()))
    assert told == [("signed", "the signed readings are not those in the frames")]


def test_a_verdict_is_no_reason_for_a_difference() -> None:
    def invalid(reading: SignedReading) -> Checked:
        return Checked(SignatureVerdict.INVALID)

    text = changed(file_of(a_signed_charge()), lambda plain: plain["signed"][0].update(verdict="invalid"))
    assert recheck(text, invalid).differences == ()


def test_another_form_is_told() -> None:
    text = file_of(a_plain_charge())
    for other in (
        json.dumps(json.loads(text)).encode(),
        text.replace(b'{"cdr":', b'{"root":"00","cdr":', 1),
        text + b" ",
    ):
        assert [what for what, _ in differences(other)] == ["form"]


def test_a_session_without_a_cdr_has_a_file_too() -> None:
    evidence, proof = settled(a_plain_charge())[0]
    _, items = made_again(evidence, proof)
    text = write(msgspec.structs.replace(items, cdr=None, rating=None), [], None)
    assert differences(text) == []
    with_rating = changed(file_of(a_plain_charge()), lambda plain: plain.update(cdr=None))
    assert ("rating", "there is a CDR without a price, or a price without a CDR") in differences(with_rating)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "can't be read"),
        (b"\x00\xff", "can't be read"),
        (b"[]", "does not begin as one"),
        (b'{"head":{"format":"laddbok-evidence/2"}}', "does not begin as one"),
        (b'{"head":{"format":"laddbok-evidence/1","rules":0}}', "made under rules 0"),
        (b'{"head":{"format":"laddbok-evidence/1","rules":3}}', "missing required field"),
        (b"[" * 100_000, "can't be read"),
        (b'{"head":' * 100_000, "can't be read"),
        (b'"' + b"x" * MAX_FILE_BYTES, "larger than"),
    ],
)
def test_what_is_no_evidence_file_is_refused_in_one_line(text: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        checked(text)
    assert len(str(refused.value)) < 400


def test_frames_of_eight_thousand_years_are_refused() -> None:
    text = file_of(a_plain_charge())
    with pytest.raises(Invalid, match="within 400 days"):
        checked(changed(text, lambda plain: plain["frames"][1].update(received_at="9999-12-31T23:59:59Z")))


def test_a_file_that_was_cut_short_is_refused() -> None:
    text = file_of(a_plain_charge())
    for end in range(0, len(text) - 2, 97):
        with pytest.raises(Invalid):
            checked(text[:end])


PLAIN = json.loads(file_of(a_signed_charge()))
ODD = [
    None,
    True,
    -1,
    10**30,
    1.5,
    "",
    "\x1b[31m",
    "x" * 5000,
    [],
    {},
    [[[]]],
    {"a": {}},
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Any:
    if path:
        yield path
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(each, (*path, key))


PATHS = sorted(_paths(PLAIN), key=str)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PATHS), st.sampled_from(ODD), st.booleans())
def test_whatever_stands_anywhere_there_is_an_answer(path: tuple[Any, ...], odd: Any, hashes: bool) -> None:
    plain = json.loads(json.dumps(PLAIN))
    place = plain
    for key in path[:-1]:
        place = place[key]
    assume(place[path[-1]] != odd and not (hashes and path[0] in ("leaves", "root")))
    place[path[-1]] = odd
    text = canonical(plain) + b"\n"
    try:
        found = checked(rehashed(text) if hashes and "head" in plain else text)
    except Invalid as refused:
        assert str(refused).isprintable() and len(str(refused)) < 500
        return
    except (TypeError, AttributeError, KeyError):
        assert hashes  # our own re-hashing above can't make sense of it
        return
    assert found.differences or (hashes and found.root != PLAIN["root"])
    assert all(each.text.isprintable() and len(each.text) <= 400 for each in found.differences)
