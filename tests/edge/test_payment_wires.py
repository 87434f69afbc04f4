"""Are callbacks verified, refusals told from silence, and half a set-up refused at the start?"""

import asyncio
import ssl
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from laddbok.flow.payment_provider import ProviderDown, ProviderRefused, Wanted
from laddbok.model.clock import SystemClock
from laddbok.model.errors import ConfigurationError, Invalid, NotFound
from laddbok.settings import read_settings
from laddbok.wires.payment_providers import ProviderSettings, make_providers, read_callback
from laddbok.wires.stripe import sign, verified
from laddbok.wires.swish import Swish, SwishSettings
from tests.edge.fake_provider import FakeProvider, fake_provider


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


def test_a_webhook_that_is_not_signed_or_old_is_refused() -> None:
    body = b'{"data": {"object": {"id": "pi_1"}}}'
    right = sign(body, 1_000, "secret")
    assert verified(body, right, "secret", 1_300) == "pi_1"
    for signature, secret, now_s, content in (
        (right, "other", 1_000, body),
        (right, "secret", 1_301, body),
        (right, "secret", 1_000, body + b" "),
        ("", "secret", 1_000, body),
        ("t=1000", "secret", 1_000, body),
        ("t=x,v1=00", "secret", 1_000, body),
        (sign(b"[]", 1_000, "secret"), "secret", 1_000, b"[]"),
    ):
        with pytest.raises(Invalid):
            verified(content, signature, secret, now_s)


def test_a_callback_is_only_a_name_to_ask_about() -> None:
    providers = make_providers(
        ProviderSettings(swish=SwishSettings(url="http://127.0.0.1:9", payee="1", callback_url="x")), SystemClock()
    )
    told = b'{"id": "' + b"0A" * 16 + b'", "status": "PAID", "amount": 1e9}'
    assert read_callback(providers, "swish", {}, told) == "0A" * 16
    for body in (b"", b"[]", b'{"id": "../../x"}', b"[" * 5_000, b" " * 70_000):
        with pytest.raises(Invalid):
            read_callback(providers, "swish", {}, body)
    with pytest.raises(NotFound):
        read_callback(providers, "stripe", {}, told)


def test_a_provider_that_can_not_be_reached_is_down_and_what_it_refuses_is_refused(fake: FakeProvider) -> None:
    wanted = Wanted(id="0A" * 16, amount=Decimal(1), currency="SEK", message="x")
    gone = Swish(SwishSettings(url="http://127.0.0.1:9", payee="1", callback_url="x"), None)
    with pytest.raises(ProviderDown):
        asyncio.run(gone.request(wanted))
    with pytest.raises(ProviderRefused):
        asyncio.run(gone.request(Wanted(id="0A" * 16, amount=Decimal(1), currency="SEK", message="x", is_hold=True)))
    secure = Swish(
        SwishSettings(url=fake.url.replace("http:", "https:"), payee="1", callback_url="x"),
        ssl.create_default_context(),
    )
    with pytest.raises(ProviderDown):
        asyncio.run(secure.state("0A" * 16, None))


@pytest.mark.parametrize(
    "environ",
    [
        {"LADDBOK_SWISH_PAYEE": "1231181189"},
        {"LADDBOK_SWISH_PAYEE": "1231181189", "LADDBOK_SWISH_CALLBACK_URL": "https://x.example/cb"},
        {"LADDBOK_STRIPE_KEY": "sk"},
        {"LADDBOK_STRIPE_URL": "ftp://x"},
    ],
)
def test_half_a_provider_is_refused_at_the_start(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"SWISH|STRIPE"):
        read_settings(environ)


def test_a_certificate_that_is_none_is_refused(tmp_path: Any) -> None:
    (tmp_path / "c").write_text("x")
    settings = ProviderSettings(
        swish=SwishSettings(url="https://x", payee="1", callback_url="x"), swish_certificate=str(tmp_path / "c"),
        swish_key=str(tmp_path / "c"),
    )  # fmt: skip
    with pytest.raises(ConfigurationError):
        make_providers(settings, SystemClock())
