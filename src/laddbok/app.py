"""How is the platform put together?

The only place that builds anything: it opens the database, makes each part with its own small settings, and ties their
lives together. `run_gateway_and_api` is the process that stations and people talk to; `run_worker` does what can wait.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, TypeVar

import asyncpg
import uvloop

from laddbok.api.app import build_api
from laddbok.api.listen import bind, serve
from laddbok.api.settings import ApiSettings
from laddbok.billing_checks import DocumentChecks
from laddbok.flow.billing_jobs import BILLING_PLAN, BILLING_RUN
from laddbok.flow.decide import SETTLE
from laddbok.flow.packed_curve import PACK
from laddbok.gateway.admission import Doorkeeper
from laddbok.gateway.commands import CommandDesk
from laddbok.gateway.connection import SocketSettings
from laddbok.gateway.server import GatewayServer
from laddbok.gateway.writer import Writer
from laddbok.mail_parts import mail_loops
from laddbok.payment_parts import payment_jobs, payment_providers, payment_wires
from laddbok.settings import Settings, quirk_table
from laddbok.store.billing import RENDER
from laddbok.store.database import Database, open_database
from laddbok.store.migrate import alone
from laddbok.store.people import ensure_admin, ensure_admin_key
from laddbok.store.postgres import PostgresStore
from laddbok.store.receipt_jobs import RECEIPT
from laddbok.store.reminders import RENDER_REMINDER
from laddbok.store.sql import query
from laddbok.wires.ocmf import check_reading
from laddbok.wires.price_feeds import PriceFeed
from laddbok.wires.tariff_export import export_tariff
from laddbok.workers.billing_jobs import Biller
from laddbok.workers.fetch_prices import PriceFetcher
from laddbok.workers.housekeeping import Housekeeper
from laddbok.workers.jobs import Does, Worker
from laddbok.workers.match_orphan import MATCH_ORPHAN, OrphanMatcher
from laddbok.workers.overdue import Overdue
from laddbok.workers.pack import Packer
from laddbok.workers.receipts import Receipts
from laddbok.workers.reconciling import NightlyReconciler
from laddbok.workers.reminding import DailyReminders
from laddbok.workers.render_invoice import InvoiceRenderer
from laddbok.workers.render_reminder import ReminderRenderer
from laddbok.workers.render_statement import statement_jobs
from laddbok.workers.settle import Settler

log = logging.getLogger(__name__)
T = TypeVar("T")

WORKER_RESTART_S = 2.0
PARENT_LOOK_S = 1.0
"""How often a process of ours looks whether the one that started it is still there."""
STOP_S = 15.0
"""How long a part may take to stop."""
PARTITION_DAYS = 7
GC_THRESHOLD = (100_000, 50, 20)
"""A gateway holds many objects for long and makes no cycles per message: looking for them cost a fifth of its time."""


class Gateway:
    """The part that stations talk to, running."""

    def __init__(self, server: GatewayServer, writer: Writer, tasks: "list[asyncio.Task[None]]") -> None:
        self.server = server
        self.writer = writer
        self.tasks = tasks
        """None of them ends by itself; without one the gateway is no good."""


@asynccontextmanager
async def running_gateway(settings: Settings, database: Database) -> AsyncIterator[Gateway]:
    """Listen for stations and commit what they say."""
    clock, quirks = settings.clock, quirk_table(settings)
    pool = await database.pool()
    store = PostgresStore(pool)
    async with pool.acquire() as connection:
        await connection.fetch(query("gateway_starts"), settings.gateway, clock.now())
    writer = Writer(
        settings.gateway,
        store,
        pool,
        clock.now,
        settings.batch,
        settings.command_limit_s,
        settings.max_frame_bytes,
        quirks,
    )
    doorkeeper = Doorkeeper(pool, clock.now, settings.admit_unknown_stations)
    commands = CommandDesk(writer, store, database.connect, clock.now)
    sockets = SocketSettings(
        host=settings.host,
        port=settings.ocpp_port,
        max_message_bytes=settings.max_frame_bytes,
        max_messages_per_s=settings.station_messages_per_s,
        max_bytes_per_s=settings.station_bytes_per_s,
        trusted_proxies=settings.trusted_proxies,
    )
    gc.set_threshold(*GC_THRESHOLD)
    gc.freeze()
    server = await GatewayServer.start(sockets, doorkeeper.admit, writer.switchboard)
    writer.start()
    listening = asyncio.create_task(commands.run())
    try:
        yield Gateway(server, writer, [listening, *writer.tasks])
    finally:
        await server.close()
        await writer.stop()
        await _cancelled(listening)
        await _closed(pool)


@asynccontextmanager
async def running_api(settings: Settings, database: Database) -> AsyncIterator[int]:
    """Serve console and API. Gives the port."""
    pool = await database.pool()
    listener = bind(settings.host, settings.http_port)
    about = ApiSettings(
        version=version("laddbok"),
        secure_cookies=settings.secure_cookies,
        command_time_limit_s=settings.command_limit_s,
        quirks=quirk_table(settings),
        mails=settings.smtp_host is not None,
    )
    stop = asyncio.Event()
    payments = payment_wires(payment_providers(settings))
    api = build_api(
        about, pool, settings.clock, check_reading, export_tariff, payments, DocumentChecks(settings.einvoice_rules)
    )
    serving = asyncio.create_task(serve(api, listener, stop))
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(serving, STOP_S)
        await _closed(pool)


async def prepare(settings: Settings, database: Database) -> str | None:
    """What a first start needs: a tenant with a site, the first days' partitions, an administrator.

    Returns: the administrator's one-time password, when the administrator was made now.
    """
    now = settings.clock.now()
    async with _preparing(database) as connection:
        await _make_tenant(settings, connection)
        password = await ensure_admin(connection, now)
        if settings.admin_key is not None:
            await ensure_admin_key(connection, settings.admin_key, now)
    return password


async def prepare_tenant(settings: Settings, database: Database) -> None:
    """A tenant with a seller and a site, and room for the first days' evidence; what is there stays."""
    async with _preparing(database) as connection:
        await _make_tenant(settings, connection)


@asynccontextmanager
async def _preparing(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection of our own, while no other process prepares the database."""
    connection = await database.connect()
    try:
        async with alone(connection):
            yield connection
    finally:
        await connection.close()


async def _make_tenant(settings: Settings, connection: asyncpg.Connection) -> None:
    now = settings.clock.now()
    await connection.execute(query("frame_days"), now.date(), PARTITION_DAYS)
    await connection.fetch(query("first_sites"), "Laddbok", now, settings.time_zone)
    await connection.execute(query("first_seller"))


async def run_worker(settings: Settings) -> None:
    """Settle sessions and keep house until told to stop."""
    stop = stop_signal()
    async with open_database(settings.database_url, settings.state_folder) as database:
        pool = await database.pool(4)
        store = PostgresStore(pool)
        clock = settings.clock
        biller = Biller(database.connect, clock.now, DocumentChecks(settings.einvoice_rules))
        does: dict[str, Does] = {
            SETTLE: Settler(store, clock.now),
            PACK: Packer(store, clock.now),
            MATCH_ORPHAN: OrphanMatcher(store, pool, clock.now, quirk_table(settings)),
            RENDER: InvoiceRenderer(pool, clock.now),
            RECEIPT: Receipts(pool, clock.now, DocumentChecks(settings.einvoice_rules)),
            **statement_jobs(pool, clock.now),
            RENDER_REMINDER: ReminderRenderer(pool, clock.now),
            **payment_jobs(settings, store, pool),
            BILLING_PLAN: biller,
            BILLING_RUN: biller,
        }
        worker = Worker(f"worker-{os.getpid()}", store, clock.now, does)
        housekeeper = Housekeeper(store, pool, clock.now, PARTITION_DAYS)
        overdue = Overdue(f"worker-{os.getpid()}", store, pool, clock.now)
        reconciler = NightlyReconciler(pool, clock.now)
        reminders = DailyReminders(pool, clock.now)
        loops = [worker.run(), housekeeper.run(), overdue.run(), reconciler.run(), reminders.run()]
        loops += mail_loops(settings, pool, clock.now)
        if settings.price_zones:
            feed = PriceFeed(settings.price_url)
            loops.append(PriceFetcher(settings.price_zones, feed, store, pool, clock.now).run())
        tasks = [asyncio.create_task(each) for each in loops]
        try:
            await _until_stopped(stop, tasks)
        finally:
            for task in tasks:
                await _cancelled(task)
            await biller.stop()
            await _closed(pool)


async def _until_stopped(stop: asyncio.Event, tasks: "list[asyncio.Task[None]]") -> None:
    """Wait until told to stop. What ends one of the tasks ends this process: whoever keeps it alive starts another."""
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    await _cancelled(stopping)
    for ended in done - {stopping}:
        await ended


async def run_platform(settings: Settings, role: str, ready: Callable[[str], None]) -> None:
    """Run one role, or `all`: gateway and API here, workers in a process of their own, until told to stop."""
    if role == "worker":
        return await run_worker(settings)
    stop = stop_signal()
    parts: list[asyncio.Task[None]] = []
    async with contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.database_url, settings.state_folder))
        password = await prepare(settings, database)
        if role in ("all", "gateway"):
            gateway = await stack.enter_async_context(running_gateway(settings, database))
            parts = gateway.tasks
            ready(f"stations   ws://{settings.host}:{gateway.server.port}/ocpp/STATION")
        if role in ("all", "api"):
            port = await stack.enter_async_context(running_api(settings, database))
            ready(f"console    http://{settings.host}:{port}")
        if password is not None:
            ready(f"log in as  admin, one-time password {password}")
        if role == "all":
            await stack.enter_async_context(child_kept_alive(settings, ["serve", "--role", "worker"]))
        await _until_stopped(stop, parts)


@asynccontextmanager
async def child_kept_alive(settings: Settings, arguments: list[str]) -> AsyncIterator[None]:
    """A process of our own beside this one, started again when it dies; it stops with us."""
    keeper = asyncio.create_task(_keep_alive(settings, arguments))
    try:
        yield
    finally:
        await _cancelled(keeper)


async def _keep_alive(settings: Settings, arguments: list[str]) -> None:
    while True:
        process = await spawn(settings, arguments)
        try:
            code = await process.wait()
        finally:
            await end(process)
        log.warning("%s ended with %s and is started again", " ".join(arguments), code)
        await asyncio.sleep(WORKER_RESTART_S)


async def spawn(settings: Settings, arguments: list[str], quiet: bool = False) -> asyncio.subprocess.Process:
    """Another laddbok process with the same settings, in a session of its own: Ctrl-C reaches us only.

    Args: quiet: what it prints on stdout is thrown away.
    """
    environ = {**os.environ, "LADDBOK_DATA": str(settings.state_folder), "LADDBOK_PARENT": str(os.getpid())}
    if settings.clock_text:
        environ["LADDBOK_CLOCK"] = settings.clock_text
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "laddbok.cli",
        *arguments,
        env=environ,
        start_new_session=True,
        stdout=asyncio.subprocess.DEVNULL if quiet else None,
    )


async def end(process: asyncio.subprocess.Process, patience_s: float = STOP_S) -> None:
    """Ask a process of ours to stop, and make it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), patience_s)
        except TimeoutError:
            process.kill()
            await process.wait()


def stop_signal() -> asyncio.Event:
    """Set when this process is asked to stop, by Ctrl-C or by its supervisor; asked twice, it stops at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked, number)
    return stop


async def _cancelled(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _closed(pool: asyncpg.Pool) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(pool.close(), STOP_S)


def run(main: Coroutine[Any, Any, T], parent_pid: int | None = None) -> T:
    """Run a coroutine to its end on our event loop.

    Args: parent_pid: the process without which this one is to stop; None: it stands by itself.
    """
    return uvloop.run(main if parent_pid is None else _beside_parent(main, parent_pid))


async def _beside_parent(main: Coroutine[Any, Any, T], parent_pid: int) -> T:
    """A killed parent can't end its children: one that finds itself alone stops as if it had been asked to."""

    async def watch() -> None:
        while os.getppid() == parent_pid:
            await asyncio.sleep(PARENT_LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    watching = asyncio.create_task(watch())
    try:
        return await main
    finally:
        await _cancelled(watching)
