"""How are banks and providers of payments tied to the platform?

What the API and the workers use of them, as the settings name it.
"""

from functools import partial

import asyncpg

from laddbok.api.payment_wires import PaymentWires
from laddbok.flow.payment_provider import PaymentProvider
from laddbok.model.clock import SystemClock
from laddbok.settings import Settings
from laddbok.store.payment_moves import SEND_REFUND
from laddbok.store.payment_requests import ASK_PAYMENT, CARD_HOLD
from laddbok.store.postgres import PostgresStore
from laddbok.wires.bank_files import read_bank_file
from laddbok.wires.demo_payments import NAME as DEMO_PAYMENTS
from laddbok.wires.demo_payments import DemoPayments
from laddbok.wires.exchange_rates import read_rates
from laddbok.wires.payment_providers import ProviderSettings, make_providers, read_callback
from laddbok.wires.stripe import StripeSettings
from laddbok.wires.swish import SwishSettings
from laddbok.workers.held_sessions import HeldSessions
from laddbok.workers.jobs import Does
from laddbok.workers.payments import HoldKeeper, PaymentAsker, RefundSender


def payment_providers(settings: Settings) -> dict[str, PaymentProvider]:
    """The providers of payments that the settings name; in a demo, its own one, too. Raises: ConfigurationError."""
    swish = stripe = None
    if settings.swish_payee and settings.swish_callback_url:
        swish = SwishSettings(
            url=settings.swish_url, payee=settings.swish_payee, callback_url=settings.swish_callback_url
        )
    if settings.stripe_key and settings.stripe_webhook_secret:
        stripe = StripeSettings(
            url=settings.stripe_url, key=settings.stripe_key, webhook_secret=settings.stripe_webhook_secret
        )
    named = ProviderSettings(
        swish=swish,
        swish_certificate=settings.swish_certificate,
        swish_key=settings.swish_key,
        swish_authority=settings.swish_authority,
        stripe=stripe,
    )
    found = make_providers(named, SystemClock())
    return {**found, DEMO_PAYMENTS: DemoPayments()} if settings.clock_text else found


def payment_wires(providers: dict[str, PaymentProvider]) -> PaymentWires:
    """What the API uses of banks and providers."""
    return PaymentWires(read_bank_file, partial(read_callback, providers), read_rates, frozenset(providers))


def payment_jobs(settings: Settings, store: PostgresStore, pool: asyncpg.Pool) -> dict[str, Does]:
    """What workers do with providers of payments."""
    providers, now = payment_providers(settings), settings.clock.now
    sessions = HeldSessions(store, pool, now)
    return {
        ASK_PAYMENT: PaymentAsker(pool, providers, now),
        SEND_REFUND: RefundSender(pool, providers, now),
        CARD_HOLD: HoldKeeper(pool, providers, now, sessions.cost_of, sessions.stop),
    }
