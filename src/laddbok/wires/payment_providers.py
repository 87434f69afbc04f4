"""Which providers of payments does this installation have?

Those whose number or key the settings name. What a provider is, says flow.payment_provider; here they are made, and what calls
back is given to the one that it names.
"""

from collections.abc import Mapping

import msgspec

from laddbok.flow.payment_provider import PaymentProvider
from laddbok.model.clock import Clock
from laddbok.model.errors import Invalid, NotFound
from laddbok.wires.provider_http import client_tls
from laddbok.wires.stripe import Stripe, StripeSettings
from laddbok.wires.swish import Swish, SwishSettings

MAX_CALLBACK_BYTES = 65_536


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say of providers; None: there is no such provider here."""

    swish: SwishSettings | None = None
    swish_certificate: str | None = None
    swish_key: str | None = None
    swish_authority: str | None = None
    stripe: StripeSettings | None = None


def make_providers(settings: ProviderSettings, wall: Clock) -> dict[str, PaymentProvider]:
    """The providers by name. Args: wall, the clock by which signatures age. Raises: ConfigurationError."""
    found: dict[str, PaymentProvider] = {}
    if settings.swish is not None:
        tls = None
        if settings.swish_certificate and settings.swish_key:
            tls = client_tls(settings.swish_certificate, settings.swish_key, settings.swish_authority)
        found["swish"] = Swish(settings.swish, tls)
    if settings.stripe is not None:
        found["stripe"] = Stripe(settings.stripe, lambda: int(wall.now().timestamp()))
    return found


def read_callback(providers: Mapping[str, PaymentProvider], name: str, headers: Mapping[str, str], body: bytes) -> str:
    """The reference that a callback is about. Raises: NotFound: no such provider; Invalid: not from it, or not readable."""
    provider = providers.get(name)
    if provider is None:
        raise NotFound("provider of payments", name)
    if len(body) > MAX_CALLBACK_BYTES:
        raise Invalid("body", f"has more than {MAX_CALLBACK_BYTES} bytes")
    return provider.read_callback(headers, body)
