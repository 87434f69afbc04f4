"""How do `laddbok apartments` and `laddbok home-statement` run?"""

from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from laddbok.billing.page_words import word
from laddbok.billing.statement_files import sessions_csv, statement_csv, statement_pdf
from laddbok.flow.apartment_lists import read_bill
from laddbok.model.errors import Invalid
from laddbok.model.statement import ApartmentList, Statement, StatementKind
from laddbok.settings import Settings
from laddbok.store.statements import (
    Issued,
    agree_apartments,
    agree_home,
    issue_home,
    issue_list,
    kept_pdf,
    kept_statement,
)
from laddbok.verbs.books import opened

MAX_BYTES = 4 * 1024 * 1024
BY = "cli"
_CSV = {"csv": statement_csv, "sessions": sessions_csv}


async def agreed(settings: Settings, kind: str, subject_id: str, file: Path, as_json: bool) -> dict[str, Any]:
    """Keep what was agreed on a site's apartments, or on a contract's charging at home. Raises: Invalid, NotFound, Conflict."""
    document, now = _read(file, "file"), settings.clock.now()
    agree = agree_apartments if kind == StatementKind.APARTMENTS else agree_home
    async with opened(settings) as (connection, tenant), connection.transaction():
        version = await agree(connection, tenant, subject_id, document, now, BY)
    if not as_json:
        print(f"{subject_id}: version {version}")
    return {"kind": kind, "id": subject_id, "version": version}


async def run_month(
    settings: Settings, kind: str, subject_id: str, month: str, bill: Path | None, *, final: bool, as_json: bool
) -> dict[str, Any]:
    """Draw a month, and keep it if it is final. Raises: Invalid, NotFound, Conflict."""
    now = settings.clock.now()
    read = read_bill(_read(bill, "bill")) if bill else None
    async with opened(settings) as (connection, tenant), connection.transaction():
        if kind == StatementKind.APARTMENTS:
            issued = await issue_list(connection, tenant, subject_id, month, read, now, BY, final=final)
        else:
            issued = await issue_home(connection, tenant, subject_id, month, now, BY, final=final)
    if not as_json:
        _print(issued.statement)
        print(_became(issued))
    return {"is_new": issued.is_new, **_told(issued.statement, issued.hash)}


async def show(
    settings: Settings, kind: str, subject_id: str, month: str, revision: int | None, as_json: bool
) -> dict[str, Any]:
    """A revision as it was kept. Raises: NotFound."""
    async with opened(settings) as (connection, tenant):
        statement, hashed = await kept_statement(
            connection, tenant, StatementKind(kind), subject_id, month, _checked(revision)
        )
    if not as_json:
        _print(statement)
    return _told(statement, hashed)


async def write_file(
    settings: Settings,
    kind: str,
    subject_id: str,
    month: str,
    revision: int | None,
    what: str,
    path: Path,
    as_json: bool,
) -> dict[str, Any]:
    """Write the PDF of a revision, the stored one, else one made now; or its rows, or its sessions. Raises: NotFound, Invalid."""
    async with opened(settings) as (connection, tenant):
        which = (StatementKind(kind), subject_id, month)
        statement, _ = await kept_statement(connection, tenant, *which, _checked(revision))
        file = _CSV[what](statement) if what in _CSV else await _pdf(connection, tenant, statement, which)
    try:
        path.write_bytes(file)
    except OSError as error:
        raise Invalid("-o", f"{path} can't be written: {error.strerror}") from None
    if not as_json:
        print(f"{path}: {len(file)} bytes")
    told = {"kind": kind, "id": subject_id, "number": statement.head.number, "file": str(path)}
    return {**told, "bytes": len(file), "sha256": sha256(file).hexdigest()}


async def _pdf(
    connection: asyncpg.Connection, tenant: int, statement: Statement, which: tuple[StatementKind, str, str]
) -> bytes:
    return await kept_pdf(connection, tenant, *which, statement.head.revision) or statement_pdf(statement)


def _read(file: Path, field: str) -> bytes:
    try:
        with file.open("rb") as opened_file:
            document = opened_file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(field, f"{file} can't be read: {error.strerror}") from error
    if len(document) > MAX_BYTES:
        raise Invalid(field, f"{file} is longer than {MAX_BYTES} bytes")
    return document


def _checked(revision: int | None) -> int | None:
    if revision is not None and not 0 < revision < 2**31:
        raise Invalid("--revision", f"{revision} is none")
    return revision


def _told(statement: Statement, hashed: bytes | None) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.to_builtins(statement)
    sums = {"energy_wh": statement.energy_wh, "total": str(statement.total)}
    return {"hash": hashed.hex() if hashed else None, **sums, "content": content}


def _became(issued: Issued) -> str:
    if issued.is_new:
        return "kept"
    return "the last revision says the same" if issued.hash else "only shown: --final keeps it"


def _print(statement: Statement) -> None:
    head = statement.head
    print(f"{head.name} {head.number}: {statement.energy_wh} Wh, {statement.total} {head.currency}")
    if isinstance(statement, ApartmentList):
        for share in statement.shares:
            name = share.apartment or word("no_apartment", "en")
            print(f"  {name:20} {share.energy_wh:>10} Wh {share.net:>10} + {share.vat:>9} = {share.gross:>10}")
    else:
        for line in statement.refund.lines:
            print(f"  {line.session_id} {line.energy_wh:>10} Wh x {line.per_kwh} = {line.amount:>10}")
    for each in statement.waiting:
        print(f"  not settled yet: {each}")
    for change in statement.changes:
        name = change.session_id or change.apartment or word("no_apartment", "en")
        print(f"  changed: {name}: {change.before_wh} -> {change.after_wh} Wh, {change.before} -> {change.after}")
