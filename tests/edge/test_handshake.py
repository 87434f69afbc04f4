"""The rules of the opening request: paths, versions, passwords, and who has failed too often."""

import base64

import pytest

from laddbok.gateway.address_limit import AddressLimit, network_of
from laddbok.gateway.credentials import Credentials, hash_password, read_basic, verify_password
from laddbok.gateway.handshake import (
    HandshakeError,
    Refuse,
    choose_subprotocol,
    client_address,
    read_handshake,
    refusal_response,
    station_identity,
    switching_response,
)
from laddbok.store.station_password import new_station_password

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def head(path: str = "/ocpp/CP-1", *, first: str | None = None, **changes: str | None) -> bytes:
    headers = {
        "Host": "platform.example",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Protocol": "ocpp1.6, ocpp2.0.1",
    }
    for name, value in changes.items():
        headers.pop(name.replace("_", "-"), None)
        if value is not None:
            headers[name.replace("_", "-")] = value
    lines = [first or f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1")


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/ocpp/CP-1", "CP-1"),
        ("/ocpp/CP-1/", "CP-1"),
        ("/ocpp/RDAM%7C123", "RDAM|123"),
        ("/ocpp/CP%20001", "CP 001"),
        ("/ocpp/G%C3%A5rd-7", "Gård-7"),
        ("/prefix/of/a/proxy/ocpp/CP-1", "CP-1"),
        ("/ocpp/south/garage/CP-1?token=1#x", "CP-1"),
        ("//OCPP//CP-1", "CP-1"),
        ("/ocpp/ocpp", "ocpp"),
        ("/ocpp/" + "x" * 48, "x" * 48),
    ],
)
def test_S72_identity_is_the_last_part_of_the_path(path: str, identity: str) -> None:
    assert station_identity(path) == identity


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/ocpp",
        "/ocpp/",
        "/CP-1",
        "/x/CP-1",
        "/ocpp/" + "x" * 49,
        "/ocpp/a%00b",
        "/ocpp/%FF",
        "/ocpp/a%2Fb",
        "/ocpp/.",
        "/ocpp/%2E%2e",
        "/ocpp/%20",
    ],
)
def test_S72_a_path_without_an_identity_is_404(path: str) -> None:
    with pytest.raises(HandshakeError) as refused:
        station_identity(path)
    assert refused.value.refuse.status == 404


@pytest.mark.parametrize(
    ("offered", "known", "taken"),
    [
        (("ocpp1.6",), None, "ocpp1.6"),
        (("ocpp1.6", "ocpp2.0.1"), None, "ocpp2.0.1"),
        (("ocpp1.6", "ocpp2.0.1"), "ocpp1.6", "ocpp1.6"),
        (("ocpp1.6",), "ocpp2.0.1", "ocpp1.6"),
        (("OCPP1.6",), None, "OCPP1.6"),
        (("ocpp1.5", "ocpp1.6"), None, "ocpp1.6"),
        (("ocpp1.5",), "ocpp1.5", None),
        ((), None, None),
    ],
)
def test_the_version_is_the_known_one_or_the_newest(
    offered: tuple[str, ...], known: str | None, taken: str | None
) -> None:
    assert choose_subprotocol(offered, known) == taken


def test_an_opening_request_is_understood() -> None:
    token = base64.b64encode(b"CP-1:secret").decode()
    request = read_handshake(
        head(
            Connection="keep-alive, Upgrade",
            Authorization=f"Basic {token}",
            Sec_WebSocket_Extensions="permessage-deflate",
        )
    )
    assert request.identity == "CP-1"
    assert request.offered == ("ocpp1.6", "ocpp2.0.1")
    assert request.credentials == Credentials("CP-1", b"secret")
    assert request.extensions == "permessage-deflate"


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"\x16\x03\x01\x02\x00", 400),
        (b"", 400),
        (head(first="GET /ocpp/CP-1"), 400),
        (head(first="POST /ocpp/CP-1 HTTP/1.1"), 405),
        (head(Upgrade=None), 426),
        (head(Connection="close"), 426),
        (head(Sec_WebSocket_Version="8"), 426),
        (head(Sec_WebSocket_Key=None), 400),
        (head(Sec_WebSocket_Key="c2hvcnQ="), 400),
        (head(Sec_WebSocket_Key="å"), 400),
        (head() + b"\r\nno colon", 400),
        (head() + b"\r\n folded: x", 400),
        (head() + b"\r\nX: y" * 200, 431),
        (head("/nowhere"), 404),
    ],
)
def test_a_request_that_is_none_of_a_station_has_its_status(request_head: bytes, status: int) -> None:
    with pytest.raises(HandshakeError) as refused:
        read_handshake(request_head)
    assert refused.value.refuse.status == status
    assert refusal_response(refused.value.refuse).startswith(f"HTTP/1.1 {status} ".encode())


def test_answers_carry_what_a_client_needs() -> None:
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in switching_response(KEY, "ocpp1.6", None)
    assert b"WWW-Authenticate: Basic" in refusal_response(Refuse(401, "no"))
    assert b"Retry-After: 30\r\n" in refusal_response(Refuse(503, "later", 30))
    assert b"Sec-WebSocket-Version: 13" in refusal_response(Refuse(426, "old"))


@pytest.mark.parametrize("kept", ["0011aaBB" * 5, bytes.fromhex("0011aaBB" * 5), "0011AABB" * 5])
@pytest.mark.parametrize("sent", [b"0011aabb" * 5, b"0011AABB" * 5, bytes.fromhex("0011aabb" * 5)])
def test_a_password_is_text_hex_or_bytes(kept: str | bytes, sent: bytes) -> None:
    assert verify_password(hash_password(kept), sent)


@pytest.mark.parametrize("sent", [b"", b"Secret", b"secret ", b"\xff" * 20])
def test_another_password_is_not_the_password(sent: bytes) -> None:
    assert not verify_password(hash_password("secret"), sent)
    assert verify_password(hash_password("secret"), "secret")
    assert hash_password("secret") != hash_password("secret")


@pytest.mark.parametrize(
    ("plain", "identity", "expected"),
    [
        (b"CP-1:a:b", "CP-1", Credentials("CP-1", b"a:b")),
        (b"NO:7:secret", "NO:7", Credentials("NO:7", b"secret")),
        (b"CP-1:\x00\xff", "CP-1", Credentials("CP-1", b"\x00\xff")),
        (b"other:x", "CP-1", Credentials("other", b"x")),
        (b"nothing", "CP-1", None),
    ],
)
def test_basic_credentials_are_read(plain: bytes, identity: str, expected: Credentials | None) -> None:
    assert read_basic("basic " + base64.b64encode(plain).decode(), identity) == expected


@pytest.mark.parametrize("header", ["Bearer x", "Basic", "Basic ***", "Basic å", ""])
def test_what_is_not_basic_is_nobody(header: str) -> None:
    assert read_basic(header, "CP-1") is None


def test_an_address_that_fails_too_often_waits() -> None:
    limit = AddressLimit(burst=3, refill_s=5.0)
    for _ in range(3):
        assert limit.wait_s("192.0.2.1", 100.0) == 0.0
        limit.take("192.0.2.1", 100.0)
    assert limit.wait_s("192.0.2.1", 100.0) == 5.0
    assert limit.wait_s("192.0.2.2", 100.0) == 0.0
    assert limit.wait_s("192.0.2.1", 105.0) == 0.0
    limit.take("192.0.2.1", 105.0)
    assert limit.wait_s("192.0.2.1", 105.0) == 5.0
    assert limit.wait_s("192.0.2.1", 1000.0) == 0.0


def test_the_addresses_of_one_ipv6_network_are_one() -> None:
    limit = AddressLimit(burst=1, refill_s=5.0)
    limit.take("2001:db8::1", 0.0)
    assert limit.wait_s("2001:db8::ffff", 0.0) == 5.0
    assert limit.wait_s("2001:db8:0:1::1", 0.0) == 0.0


def test_an_ipv4_address_written_as_ipv6_is_itself() -> None:
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"


def test_the_table_of_addresses_is_bounded() -> None:
    limit = AddressLimit(burst=1, refill_s=5.0, max_addresses=10)
    for number in range(50):
        limit.take(f"192.0.2.{number}", 0.0)
    waiting = [number for number in range(50) if limit.wait_s(f"192.0.2.{number}", 0.0)]
    assert waiting == list(range(40, 50))


def test_only_our_own_proxy_is_believed() -> None:
    assert client_address("10.0.0.5", "203.0.113.9", ()) == "10.0.0.5"
    assert client_address("10.0.0.5", "1.2.3.4, 203.0.113.9", ("10.0.0.5",)) == "203.0.113.9"
    assert client_address("10.0.0.5", "", ("10.0.0.5",)) == "10.0.0.5"


def test_a_password_that_the_store_makes_opens_in_each_spelling() -> None:
    shown, stored = new_station_password()
    assert verify_password(stored, shown)
    assert verify_password(stored, shown.upper())
    assert verify_password(stored, bytes.fromhex(shown))
