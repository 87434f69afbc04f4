"""Are signed readings shown with their verdict, those of this session and of no other?"""

import json
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.edge.api.charges import metered, running, say, store
from tests.edge.api.conftest import RunningApi

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
PAYLOAD = (
    '{"FV":"1.0","GS":"1","PG":"T1","MS":"1","IS":false,"RD":['
    '{"TM":"2026-03-01T13:00:00,000+0100 S","TX":"E","RV":105.5,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}]}'
)
VALID = f'OCMF|{PAYLOAD}|{{"SD":"{KEY.sign(PAYLOAD.encode(), ec.ECDSA(SHA256())).hex()}"}}'


def test_each_has_its_verdict_and_none_is_anothers(house: RunningApi) -> None:
    session = running(1, token="04A2FF")
    store(house, session)
    plain = metered(session.started_at, 105_500, 0)
    for seq, text in enumerate(
        (VALID, f"{VALID}|{PUBLIC}", f"{VALID.replace('105.5', '105.4')}|{PUBLIC}", "<xml/>"), start=1
    ):
        value = {**plain, "sampledValue": [*plain["sampledValue"], {"value": text, "format": "SignedData"}]}
        say(house, session, seq, "MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": [value]}, {})
    foreign = {**plain, "sampledValue": [{"value": VALID, "format": "SignedData"}]}
    say(house, session, 6, "MeterValues", {"connectorId": 2, "transactionId": 77, "meterValue": [foreign]}, {})
    say(house, session, 7, "MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": [plain]}, {})
    shown = house.client.get(f"/sessions/{session.id}/signed-values").json()["items"]
    assert [(item["seq"] - session.opened.seq, item["verdict"], item["register_wh"]) for item in shown] == [
        (1, "not_verifiable", 105_500), (2, "valid", 105_500), (3, "tampered", 105_400), (4, "not_verifiable", None),
    ]  # fmt: skip
    assert (shown[0]["text"], shown[0]["why"]) == (VALID, "No public key given and none embedded in the OCMF string")
    assert (shown[3]["text"], shown[3]["why"]) == (None, "it is no OCMF")


def test_those_of_2_0_1_have_the_key_that_came_with_them(house: RunningApi) -> None:
    session = running(2, token="04BB")
    store(house, session)
    signed = {
        "signedMeterData": b64encode(VALID.encode()).decode(),
        "publicKey": PUBLIC,
        "encodingMethod": "OCMF",
        "signingMethod": "",
    }
    value = {"value": 105_500, "signedMeterValue": signed}
    raw = json.dumps(
        [2, "1", "TransactionEvent", {
            "eventType": "Ended", "timestamp": session.started_at.isoformat(), "triggerReason": "StopAuthorized", "seqNo": 3,
            "transactionInfo": {"transactionId": "2"},
            "meterValue": [{"timestamp": session.started_at.isoformat(), "sampledValue": [value]}],
        }]
    )  # fmt: skip
    house.sql(
        "INSERT INTO frame VALUES ($1, 1, 1, 1, $2, 'i', '2', '1', 'TransactionEvent', $3, NULL)",
        session.started_at, session.opened.seq + 1, raw.encode(),
    )  # fmt: skip
    [item] = house.client.get(f"/sessions/{session.id}/signed-values").json()["items"]
    assert (item["verdict"], item["public_key"], item["text"]) == ("valid", PUBLIC, VALID)


def test_a_session_that_is_not_there_is_404(house: RunningApi) -> None:
    assert house.client.get("/sessions/NOSUCHSESSION/signed-values").status_code == 404


def test_a_cdr_is_shown_with_the_root_of_its_proof(house: RunningApi) -> None:
    session = running(3, token="04CC")
    store(house, session)
    house.sql(
        "INSERT INTO cdr VALUES (1, $1, 1, $2, $3, 4000, 'SEK', 12.80, 16.00, 'T', 1, '{}', '{}')",
        session.id, "cdr", session.started_at,
    )  # fmt: skip
    house.sql(
        "INSERT INTO proof (tenant, session_id, revision, root, rules, frames, frame_count, decision_count)"
        " VALUES (1, $1, 1, decode(repeat('ab', 32), 'hex'), 2, '[]', 0, 0)",
        session.id,
    )  # fmt: skip
    [issued] = house.client.get(f"/cdrs/{session.id}").json()["items"]
    assert issued["root"] == "ab" * 32
