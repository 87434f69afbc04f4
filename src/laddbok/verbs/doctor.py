"""What is configured, reachable and migrated, and what is wrong?

Each line of `laddbok doctor` is one finding; exit code 1 when any of them is bad.
"""

import errno
import os
import resource
import shutil
import socket
from datetime import date
from typing import Any

import asyncpg

from laddbok.flow.mail import MailDown
from laddbok.mail_parts import smtp_settings
from laddbok.model.errors import ConfigurationError, LaddbokError
from laddbok.model.market_prices import market_day, quarters_of
from laddbok.sessions.quirks import known_quirks
from laddbok.settings import NAMES, SECRET, Settings, quirk_table, unknown_names
from laddbok.store.database import Database, open_database
from laddbok.store.spot_prices import prices_lack
from laddbok.store.sql import query
from laddbok.wires.einvoice_rules import (
    BILLING_LAYERS,
    SELF_BILLING_LAYERS,
    missing_layers,
    require_saxon,
    version_of,
)
from laddbok.wires.mail import SmtpServer
from laddbok.wires.price_feeds import CURRENCIES

LEAST_FREE_BYTES = 1 << 30
LEAST_OPEN_FILES = 4096
"""Each station that is connected is one; a small operator's stations, its database and its console fit in."""

Finding = dict[str, Any]


async def examine(settings: Settings, as_json: bool) -> tuple[dict[str, Any], int]:
    """Look at everything. Returns: the findings and the exit code."""
    findings = [
        *_configured(),
        *known_models(settings),
        *einvoice_rules(settings),
        *_machine(settings),
        await mail_server(settings),
        *(await _database(settings)),
    ]
    bad = sum(not each["ok"] for each in findings)
    if not as_json:
        for each in findings:
            print(f"{'ok ' if each['ok'] else 'BAD'}  {each['what']:22} {each['detail']}")
    return {"findings": findings, "bad": bad}, 1 if bad else 0


def _configured() -> list[Finding]:
    named = [name for name in NAMES if os.environ.get(name)]
    shown = [f"{name}={'...' if name in SECRET else os.environ[name]}" for name in named]
    unknown = sorted(unknown_names(os.environ))
    findings = [_finding("settings", True, ", ".join(shown) or "all at their defaults")]
    if unknown:
        findings.append(_finding("unknown settings", False, f"{', '.join(unknown)}: see docs/settings.md"))
    return findings


async def mail_server(settings: Settings) -> Finding:
    """Whether the mail server lets us in; no mail is sent."""
    server = smtp_settings(settings)
    if server is None:
        return _finding("mail server", True, "none: what is to be mailed waits (LADDBOK_SMTP_HOST)")
    try:
        await SmtpServer(server).greet()
    except MailDown as error:
        return _finding("mail server", False, str(error))
    return _finding("mail server", True, f"{server.host}:{server.port} lets us in")


def known_models(settings: Settings) -> list[Finding]:
    """The operator's own rows about models can be read."""
    if settings.quirks_file is None:
        return []
    try:
        own = len(quirk_table(settings)) - len(known_quirks())
    except ConfigurationError as error:
        return [_finding("known models", False, str(error))]
    return [_finding("known models", True, f"{own} rows in {settings.quirks_file}")]


def einvoice_rules(settings: Settings) -> list[Finding]:
    """The official rules of e-invoices are there, and are those that they should be; who sends none needs none."""
    folder = settings.einvoice_rules
    if settings.einvoice_rules_folder is None and not folder.exists():
        return [_finding("e-invoice rules", True, f"none in {folder}: e-invoices are refused")]
    try:
        require_saxon()
        if missing := missing_layers(folder, BILLING_LAYERS):
            return [_finding("e-invoice rules", False, f"{', '.join(missing)} not in {folder}: e-invoices are refused")]
        layers = (*BILLING_LAYERS, *(() if missing_layers(folder, SELF_BILLING_LAYERS) else SELF_BILLING_LAYERS[1:]))
        told = [f"{layer.name} {version_of(folder / layer.file, layer)}" for layer in layers]
    except LaddbokError as error:
        return [_finding("e-invoice rules", False, str(error))]
    return [_finding("e-invoice rules", True, f"{', '.join(told)} in {folder}")]


def _machine(settings: Settings) -> list[Finding]:
    findings = []
    for what, port in (("port for stations", settings.ocpp_port), ("port for the console", settings.http_port)):
        findings.append(_port(what, settings.host, port))
    folder = settings.state_folder
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    findings.append(_finding("disk", free >= LEAST_FREE_BYTES, f"{free >> 20} MiB free for {settings.state_folder}"))
    findings.append(open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or "none (only the browser tests need one)"
    findings.append(_finding("browser", True, browser))
    return findings


def open_files(limit: int) -> Finding:
    """A gateway takes as many stations as the system allows it open files: itself it only raises the soft limit.

    >>> open_files(1024)["detail"]
    'ulimit -Hn is 1024, too low: a gateway that may open fewer than 4096 files turns stations away'
    """
    if limit == resource.RLIM_INFINITY:
        return _finding("open files", True, "ulimit -Hn is unlimited")
    told, enough = f"ulimit -Hn is {limit}", limit >= LEAST_OPEN_FILES
    why = f", too low: a gateway that may open fewer than {LEAST_OPEN_FILES} files turns stations away"
    return _finding("open files", enough, told if enough else told + why)


def _port(what: str, host: str, port: int) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            detail = "in use (by a running laddbok, or by something else)" if in_use else str(error)
            return _finding(what, in_use, f"{host}:{port} {detail}")
    return _finding(what, True, f"{host}:{port} is free")


async def _database(settings: Settings) -> list[Finding]:
    try:
        async with open_database(settings.database_url, settings.state_folder) as database:
            return await _inside(database, settings)
    except (LaddbokError, asyncpg.PostgresError, OSError) as error:
        return [_finding("database", False, str(error))]


async def _inside(database: Database, settings: Settings) -> list[Finding]:
    connection = await database.connect()
    try:
        where = (settings.database_url and "external") or f"embedded in {settings.state_folder}"
        version = await connection.fetchval("SHOW server_version")
        row = await connection.fetchrow(query("doctor_counts"))
        prices = [await _prices(connection, zone, market_day(settings.clock.now())) for zone in settings.price_zones]
        reconciled = await last_reconciliation(connection)
        durable = [f"{name} {await connection.fetchval(f'SHOW {name}')}" for name in _DURABLE]
    finally:
        await connection.close()
    safe = not any(each.endswith(" off") for each in durable)
    return [
        _finding("database", True, f"PostgreSQL {version}, {where}, schema {row['migration']}"),
        _finding("durability", safe, ", ".join(durable)),
        _finding("tariffs", bool(row["tariffs"]), f"{row['tariffs']} tariffs; without one no session has a price"),
        _finding("sessions in review", True, str(row["in_review"])),
        _finding("quarantined frames", True, str(row["quarantined"])),
        _finding("orphans", True, str(row["orphans"])),
        _finding("jobs given up", not row["failed_jobs"], str(row["failed_jobs"])),
        _finding(
            "documents",
            not row["not_mailed"],
            f"{row['to_be_sent']} wait to be sent, {row['not_mailed']} could not be mailed",
        ),
        _finding("lobby", True, f"{row['lobby']} stations wait to be admitted"),
        _finding("evidence partitions", not row["in_rest"], f"{row['in_rest']} frames outside their day's partition"),
        reconciled,
        *prices,
    ]


async def last_reconciliation(connection: asyncpg.Connection) -> Finding:
    """What the last reconciliations of all tenants found."""
    row = await connection.fetchrow(query("reconciliations_last"))
    if row["at"] is None:
        return _finding("reconciliation", True, "not yet: a worker does it every night")
    detail = f"{row['differences']} differences on {row['at']:%Y-%m-%d %H:%M}Z; laddbok reconcile names them"
    return _finding("reconciliation", not row["differences"], detail)


async def _prices(connection: asyncpg.Connection, zone: str, day: date) -> Finding:
    """Whether a zone that is fetched has its prices of the day."""
    lacks = await prices_lack(connection, zone, CURRENCIES, quarters_of(day))
    detail = f"not all of {day} are there: laddbok prices gaps" if lacks else f"those of {day} are there"
    return _finding(f"prices of {zone}", not lacks, detail)


_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


def _finding(what: str, ok: bool, detail: str) -> Finding:
    return {"what": what, "ok": ok, "detail": detail}
