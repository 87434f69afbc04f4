"""Can a few slow sockets keep everybody else out of the API?"""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from laddbok.api import listen
from tests.edge.api.conftest import KEY, RunningApi

SLOTS = 20
LIMIT_S = 1.0
WAIT_S = 15.0
HEAD = f"POST /api/v1/tariffs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module", autouse=True)
def few_slots() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listen, "MAX_CONNECTIONS", SLOTS)
        patch.setattr(listen, "REQUEST_S", LIMIT_S)
        yield


def opened(api: RunningApi) -> socket.socket:
    host, _, port = api.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), WAIT_S)


@pytest.mark.parametrize(
    "beginning", ["", "GET /api/v1/health HT", HEAD, HEAD + "Content-Length: 900\r\n\r\n{"], ids=range(4)
)
def test_requests_that_never_become_whole_lose_their_slots(api: RunningApi, beginning: str) -> None:
    time.sleep(0.3)  # the sockets of the test before are gone
    slow = [opened(api) for _ in range(SLOTS - 1)]
    try:
        for each in slow:
            each.sendall(beginning.encode())
        assert health(api) == 503, "all slots are taken"
        for each in slow:
            with contextlib.suppress(ConnectionResetError):
                while each.recv(1000):
                    pass
        until_s = time.monotonic() + WAIT_S
        while health(api) != 200:
            assert time.monotonic() < until_s
    finally:
        for each in slow:
            each.close()


def test_a_connection_that_asks_on_is_kept(api: RunningApi) -> None:
    with opened(api) as client:
        for _ in range(3):
            time.sleep(LIMIT_S * 0.6)  # longer than the limit in all, each request whole at once
            client.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while b'"ok"' not in answer:
                part = client.recv(1000)
                assert part, "it was closed"
                answer += part


def health(api: RunningApi) -> int:
    with opened(api) as client:
        client.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return int(client.recv(1000).split()[1])
