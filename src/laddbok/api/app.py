"""How is the API put together?

One Litestar app: the API below /api/v1 behind one guard, its OpenAPI document, a health check, and the console's files
at the root. What runs in the background is started and ended with it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
from litestar import Litestar, Request, Router, get
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme

from laddbok.api import (
    billing_runs,
    cdrs,
    commands,
    contracts,
    credits,
    curves,
    decisions,
    deliveries,
    disputes,
    events,
    exchange_rates,
    host_settlements,
    hosts,
    id_tokens,
    invoices,
    ledger,
    legal_entities,
    login,
    orphans,
    overview,
    payers,
    payment_requests,
    payments,
    places,
    plans,
    price_view,
    receipt_page,
    reminders,
    review,
    session_documents,
    session_payers,
    sessions,
    signed_values,
    statements,
    station_traits,
    stations,
    tariff_checks,
    tariff_editor,
    tariff_exports,
    tariffs,
    timeline,
    write_offs,
)
from laddbok.api.attempts import Attempts
from laddbok.api.command_answers import CommandAnswers
from laddbok.api.console_files import serve_file, show_console
from laddbok.api.door import OPEN, guard
from laddbok.api.legible import refuse_illegible
from laddbok.api.live import Live
from laddbok.api.parts import CheckDocument, ExportTariff, Parts, parts_of
from laddbok.api.payment_wires import PaymentWires
from laddbok.api.prices import Prices
from laddbok.api.problems import answer_problem
from laddbok.api.settings import ApiSettings
from laddbok.model.clock import Clock, SystemClock
from laddbok.model.proof import Checked, SignedReading
from laddbok.store.reads import POOL_TIMEOUT_S
from laddbok.store.sql import query

BASE = "/api/v1"
MAX_BODY_BYTES = 1024 * 1024
OLD_AFTER = timedelta(hours=24)
"""Idempotency keys live so long."""
FORGET_EACH_S = 3600.0

_log = logging.getLogger(__name__)

HANDLERS = [
    login.do_log_in, login.do_log_out, login.show_me, login.do_change_password,
    overview.show_overview, events.stream_events,
    stations.list_stations, stations.show_station, stations.add_station, stations.change_station,
    station_traits.show_traits, stations.renew_password, stations.list_evses, stations.list_lobby, stations.admit, stations.dismiss,
    sessions.list_sessions, sessions.show_session, timeline.show_timeline, price_view.show_price, curves.show_curve,
    signed_values.show_signed_values, session_payers.list_payers_of_session,
    decisions.decide, review.list_review, review.list_corrections, review.list_gaps, orphans.list_orphans, orphans.match_orphan,
    commands.command_station, commands.stop_session, commands.unlock_session, commands.list_commands,
    commands.show_command, cdrs.list_cdrs, cdrs.show_cdrs,
    id_tokens.list_id_tokens, id_tokens.show_id_token, id_tokens.put_id_token,
    contracts.list_contracts, contracts.show_contract, contracts.add_contract, contracts.put_contract,
    plans.list_plans, plans.offer_plan, plans.withdraw_plan, plans.choose_plan, plans.show_agreement, plans.put_agreement,
    payers.list_payers, payers.show_payer, payers.put_payer,
    places.list_sites, places.show_site, places.put_site,
    hosts.list_hosts, hosts.show_host, hosts.put_host, hosts.put_host_agreement,
    host_settlements.preview_host_settlements, host_settlements.settle_host_month,
    legal_entities.list_legal_entities, legal_entities.show_legal_entity, legal_entities.put_legal_entity,
    billing_runs.plan_run, billing_runs.show_plan, billing_runs.start_run, billing_runs.list_runs, billing_runs.show_run,
    invoices.list_invoices, invoices.show_invoice, invoices.show_content, invoices.show_pdf, invoices.show_xml,
    disputes.open_dispute, disputes.decide_dispute, credits.credit_document, write_offs.write_off, write_offs.undo,
    reminders.list_reminders, reminders.list_reminder_runs, reminders.show_reminder_pdf, reminders.cancel,
    deliveries.list_deliveries, deliveries.show_delivery_figures, deliveries.say_sent, deliveries.say_all_sent,
    deliveries.mail_again,
    exchange_rates.list_exchange_rates, exchange_rates.list_last_exchange_rates, exchange_rates.import_exchange_rates,
    ledger.show_balance, ledger.list_postings, ledger.show_sie,
    statements.show_apartments, statements.put_apartments, statements.show_home_charging, statements.put_home_charging,
    statements.list_statements, statements.preview_statement, statements.issue_statement, statements.show_statement,
    statements.show_statement_file,
    tariffs.list_tariffs, tariffs.show_tariff, tariffs.post_tariff, tariffs.choose_default,
    tariffs.list_assignments, tariffs.put_assignment, tariff_checks.check_tariff, tariff_exports.show_export,
    tariff_editor.draw_week, tariff_editor.try_tariff,
    payments.list_payments, payments.show_payment, payments.import_payments, payments.allocate_payment,
    payments.refund_payment, payments.to_credit, payments.list_refunds, payments.decide, payments.take_callback,
    payment_requests.ask_for_payment, payment_requests.show_payment_request, payment_requests.hold_for_session,
    payment_requests.show_hold, session_documents.list_documents,
]  # fmt: skip


class Health(msgspec.Struct):
    """Whether the API and its database answer."""

    status: str


@get("/health", opt=OPEN)
async def show_health(request: Request[Any, Any, State]) -> Health:
    """Whether the API and its database answer; 503 when the database does not."""
    async with parts_of(request).pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        await owner.fetchval("SELECT 1")
    return Health("ok")


def build_api(
    settings: ApiSettings,
    pool: asyncpg.Pool,
    clock: Clock,
    check_signed: Callable[[SignedReading], Checked],
    export_tariff: ExportTariff,
    payments: PaymentWires,
    check_document: CheckDocument,
    wall: Clock | None = None,
) -> Litestar:
    """The API as an ASGI application.

    Args: pool: connections as the tables' owner, at least 5. clock: of the business. check_signed: verifies a reading
        that a meter signed. export_tariff: writes a tariff for others. payments: reads banks' files and callbacks.
        check_document: what is in the way of a document. wall: for log-ins.
    """
    prices = Prices()
    parts = Parts(
        settings=settings, pool=pool, clock=clock, wall=wall or SystemClock(), attempts=Attempts(), prices=prices,
        command_answers=CommandAnswers(pool), live=Live(pool, clock, prices, settings), check_signed=check_signed,
        export_tariff=export_tariff, payments=payments, check_document=check_document,
        receipt_views=Attempts(*receipt_page.VIEWS), receipt_writes=Attempts(*receipt_page.WRITES),
    )  # fmt: skip
    api = Router(
        BASE, route_handlers=[*HANDLERS, show_health], guards=[guard], before_request=refuse_illegible,
        response_headers={"Cache-Control": "no-store"},
    )  # fmt: skip
    return Litestar(
        [api, *receipt_page.HANDLERS, show_console, serve_file],
        state=State({"parts": parts}),
        exception_handlers={Exception: answer_problem},
        lifespan=[_background],
        response_headers={"X-Content-Type-Options": "nosniff"},
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=_openapi(settings),
        logging_config=None,
    )


def _openapi(settings: ApiSettings) -> OpenAPIConfig:
    schemes: dict[str, SecurityScheme | Reference] = {
        "key": SecurityScheme(type="http", scheme="bearer", description="An API key."),
        "login": SecurityScheme(
            type="apiKey", security_scheme_in="cookie", name="laddbok_login", description="The console's cookie."
        ),
    }
    return OpenAPIConfig(
        title="Laddbok", version=settings.version, path=f"{BASE}/openapi.json", render_plugins=[JsonRenderPlugin(path="/")],
        description="The API of an EV charging operator's central platform.", use_handler_docstrings=True,
        components=Components(security_schemes=schemes), security=[{"key": []}, {"login": []}],
    )  # fmt: skip


@asynccontextmanager
async def _background(app: Litestar) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    tasks = [
        asyncio.create_task(parts.live.run()),
        asyncio.create_task(parts.command_answers.listen()),
        asyncio.create_task(_forget_old(parts)),
    ]
    try:
        yield
    finally:
        parts.live.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _forget_old(parts: Parts) -> None:
    """Delete idempotency keys and log-ins that are of no use any more, now and then."""
    while True:
        try:
            async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
                await owner.execute(query("forget_old"), parts.wall.now() - OLD_AFTER)
        except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            _log.warning("forgetting old log-ins failed: %s", error)
        await asyncio.sleep(FORGET_EACH_S)
