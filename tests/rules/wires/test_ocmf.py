"""Are valid, invalid, tampered and not verifiable told apart, for real meters' texts and for whatever a station sends?"""

import json
import sys
from base64 import b64encode
from pathlib import Path
from subprocess import run

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from laddbok.model.proof import SignatureVerdict
from laddbok.wires.ocmf import check

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()
PAYLOAD = (
    '{"FV":"1.0","GI":"Norrboks","GS":"1","PG":"T1","MS":"1","IS":false,"IT":"NONE","ID":"","RD":['
    '{"TM":"2026-03-02T12:00:00,000+0100 S","TX":"B","RV":1.5,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"},'
    '{"TM":"2026-03-02T13:00:00,000+0100 S","TX":"E","RV":9.5,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}]}'
)


def signature(payload: str = PAYLOAD) -> bytes:
    return KEY.sign(payload.encode(), ec.ECDSA(SHA256()))


def ocmf(der: bytes, payload: str = PAYLOAD, **more: str) -> str:
    return f"OCMF|{payload}|{json.dumps({'SA': 'ECDSA-secp256r1-SHA256', 'SD': der.hex()} | more)}"


def verdict(text: str | None, public_key: str | None = PUBLIC) -> SignatureVerdict:
    return check(text, public_key).verdict


def test_a_signature_that_holds_is_valid() -> None:
    assert check(ocmf(signature()), PUBLIC) == check(
        f" {ocmf(signature())} ", b64encode(bytes.fromhex(PUBLIC)).decode()
    )
    assert verdict(ocmf(signature())) is SignatureVerdict.VALID
    assert verdict(ocmf(signature(), SD=b64encode(signature()).decode(), SE="base64")) is SignatureVerdict.VALID


def test_a_changed_digit_is_tampered() -> None:
    assert verdict(ocmf(signature(), PAYLOAD.replace("9.5", "9.4"))) is SignatureVerdict.TAMPERED
    in_base64 = b64encode(signature()).decode()
    assert verdict(ocmf(b"", PAYLOAD.replace("9.5", "9.4"), SD=in_base64, SE="base64")) is SignatureVerdict.TAMPERED


def test_a_signature_of_another_text_is_tampered() -> None:
    assert verdict(ocmf(signature("{}"))) is SignatureVerdict.TAMPERED


def test_the_key_of_another_meter_is_tampered() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert verdict(ocmf(signature()), other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()) is (
        SignatureVerdict.TAMPERED
    )


def test_what_can_be_no_signature_is_invalid() -> None:
    _, s = decode_dss_signature(signature())
    negative = bytes.fromhex("30060201ff020101")
    assert verdict(ocmf(encode_dss_signature(0, s))) is SignatureVerdict.INVALID
    assert verdict(ocmf(negative)) is SignatureVerdict.INVALID
    assert verdict(ocmf(signature()[:-1])) is SignatureVerdict.INVALID
    assert verdict(ocmf(b"\x00")) is SignatureVerdict.INVALID


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (None, "No public key"),
        ("", "No public key"),
        ("zz", "public key"),
        (PUBLIC[:-2], "public key"),
        (f"{PUBLIC[:4]} {PUBLIC[4:]}", "public key"),
        ("00" * 5_000, "too long"),
        (
            ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo
            ).hex(),
            "mismatch",
        ),
    ],
)  # fmt: skip
def test_a_missing_or_odd_key_is_not_verifiable(key: str | None, why: str) -> None:
    checked = check(ocmf(signature()), key)
    assert checked.verdict is SignatureVerdict.NOT_VERIFIABLE
    assert why in checked.why


@pytest.mark.parametrize(
    "text",
    [
        None, "", "OCMF", "OCMF|{}|{}", "<xml/>", "OCMF|" + "[" * 60_000 + "|{}", f"OCMF|{PAYLOAD}|{{}}",
        ocmf(signature(), SA="ECDSA-secp999-SHA256"), ocmf(signature(), SE="morse"), ocmf(signature(), SD="zz"),
        "OCMF|\ud800|{}",
    ],
)  # fmt: skip
def test_an_odd_text_is_not_verifiable(text: str | None) -> None:
    assert verdict(text) is SignatureVerdict.NOT_VERIFIABLE


def test_a_key_behind_the_text_counts_when_none_came_beside_it() -> None:
    assert verdict(f"{ocmf(signature())}|{PUBLIC}", None) is SignatureVerdict.VALID


@given(st.text(max_size=300), st.none() | st.text(max_size=300))
def test_anything_gives_a_verdict(text: str, key: str | None) -> None:
    assert verdict(text, key) is SignatureVerdict.NOT_VERIFIABLE
    assert verdict(f"OCMF|{text}|{{}}", key) is SignatureVerdict.NOT_VERIFIABLE


def test_the_library_is_loaded_only_when_there_is_something_to_check() -> None:
    program = "import sys, laddbok.wires.ocmf; assert 'pyocmf' not in sys.modules and 'cryptography' not in sys.modules"
    assert run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("group", "verdict"),
    [
        ("valid", SignatureVerdict.VALID),
        ("given_invalid", SignatureVerdict.INVALID),
        ("tampered", SignatureVerdict.TAMPERED),
        ("not_verifiable", SignatureVerdict.NOT_VERIFIABLE),
    ],
)
def test_real_meters(shared_data: Path, group: str, verdict: SignatureVerdict) -> None:
    cases = json.loads((shared_data / "ocmf" / "ocmf_cases.json").read_text())[group]
    assert cases
    assert [check(case["ocmf"], case["public_key"]).verdict for case in cases] == [verdict] * len(cases)
