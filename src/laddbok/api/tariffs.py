"""What does charging cost, from when on, and where?

A tariff is posted as an OCPI document, and posted again with the same id it gets a new version, which holds from its
`start_date_time` or from receipt, never in the past, until its `end_date_time` or the next version. Sessions that began
before keep the version that they began with.
Of the scopes contract, station, site and default the first that has a tariff decides. What a tariff may not say where it
applies is refused when it is written, and when it is assigned.
"""

from datetime import datetime
from typing import Literal

import asyncpg
import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, JSONBody

from laddbok.api.door import ADMINISTRATOR
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.sessions import aware
from laddbok.api.tariff_checks import TariffFindingView, checked, refuse_where_it_applies
from laddbok.api.tariff_schema import TariffDocument
from laddbok.api.writes import IdempotencyKey, written
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.tariff import parse_tariff
from laddbok.store.reads import Filters, parse_cursor
from laddbok.store.sql import query

MAX_ID_CHARS = 36
"""Source: OCPI 2.2.1 mod_tariffs, Tariff id CiString(36)."""


_NO_IDS = (".", "..", "default", "check", "week", "try")
"""Paths below /tariffs that mean something else."""


class TariffItem(msgspec.Struct):
    """A tariff with the version that holds now, or its first one if none does yet.

    `name` is the first text of its `tariff_alt_text`; `versions` is how many there are.
    """

    id: str
    created_at: datetime
    version: int
    valid_from: datetime
    currency: str | None
    is_default: bool
    name: str | None
    versions: int


class TariffVersion(msgspec.Struct):
    """One version of a tariff with its document as it was posted. `posted_by` null: it was not recorded by whom."""

    version: int
    valid_from: datetime
    received_at: datetime
    document: msgspec.Raw
    posted_by: str | None


class TariffVersions(msgspec.Struct):
    """A tariff with all its versions, oldest first."""

    id: str
    versions: list[TariffVersion]


class PostedTariff(msgspec.Struct, omit_defaults=True):
    """The version that a posted document became. `findings`: what in it a person should know; `details`: the same, in parts."""

    id: str
    version: int
    valid_from: datetime
    findings: list[str]
    details: list[TariffFindingView] = []


class DefaultTariff(msgspec.Struct, forbid_unknown_fields=True):
    """Which tariff applies where no other does."""

    tariff_id: str


class TariffAssignment(msgspec.Struct, forbid_unknown_fields=True):
    """Which tariff applies to a contract, a station, or a site (`scope_id`); the default has an empty one."""

    scope: Literal["contract", "station", "site", "default"]
    scope_id: str
    tariff_id: str


@get("/tariffs")
async def list_tariffs(request: ApiRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[TariffItem]:
    """Tariffs by id."""
    filters = Filters(parts_of(request).clock.now())
    if cursor is not None:
        filters.add("f.id > ?", *parse_cursor(cursor, str))
    rows, following = await read_page(request, "tariff_rows", filters, limit, lambda row: (row["id"],))
    return Page([TariffItem(*row.values()) for row in rows], following)


@get("/tariffs/{tariff_id:str}")
async def show_tariff(request: ApiRequest, tariff_id: FromPath[str]) -> TariffVersions:
    """One tariff with every version."""
    async with asked(request) as connection:
        rows = await connection.fetch(query("tariff_versions"), tariff_id)
    if not rows:
        raise NotFound("tariff", tariff_id)
    versions = [
        TariffVersion(
            row["version"], row["valid_from"], row["received_at"], msgspec.Raw(row["document"]), row["posted_by"]
        )
        for row in rows
    ]
    return TariffVersions(tariff_id, versions)


@post("/tariffs", opt=ADMINISTRATOR, status_code=201)
async def post_tariff(
    request: ApiRequest, data: TariffDocument, idempotency_key: IdempotencyKey = None
) -> Response[PostedTariff]:
    """Post an OCPI 2.2.1 or 2.3.0 tariff (recognised by `tax_included`), with or without the object `laddbok`."""
    text = await request.body()
    tariff = parse_tariff(text)
    _check_id(tariff.id)
    # Whole seconds, as most stations stamp: one that starts in the second of the receipt is not before it.
    received_at = parts_of(request).clock.now().replace(microsecond=0)
    starts_at = aware(tariff.start_date_time, "start_date_time") if tariff.start_date_time else received_at
    valid_from = max(received_at, starts_at)
    valid_to = aware(tariff.end_date_time, "end_date_time") if tariff.end_date_time else None
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid(
            "end_date_time", f"{valid_to.isoformat()} is not after {valid_from.isoformat()}, when it would begin"
        )

    async def work(connection: asyncpg.Connection) -> PostedTariff:
        await connection.execute(query("tariff_default_lock"))
        found = await checked(connection, request.user.tenant, tariff, received_at)
        await connection.execute(query("tariff_add"), tariff.id, received_at)
        version = await connection.fetchval(
            query("tariff_version_add"),
            tariff.id,
            valid_from,
            valid_to,
            received_at,
            text.decode(),
            request.user.name,
        )
        await connection.execute(query("tariff_default_first"), tariff.id, received_at)
        return PostedTariff(tariff.id, version, valid_from, [f"{each.path}: {each.text.en}" for each in found], found)

    return await written(request, work, status=201)


@put("/tariffs/default", opt=ADMINISTRATOR)
async def choose_default(
    request: ApiRequest, data: JSONBody[DefaultTariff], idempotency_key: IdempotencyKey = None
) -> Response[TariffAssignment]:
    """Choose the tariff that applies, from now on, where no other does."""
    return await _assign(request, TariffAssignment("default", "", data.tariff_id))


@get("/tariff-assignments")
async def list_assignments(
    request: ApiRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[TariffAssignment]:
    """Which tariff applies where, now."""
    filters = Filters(parts_of(request).clock.now())
    if cursor is not None:
        filters.add("(scope, scope_id) > (?, ?)", *parse_cursor(cursor, str, str))
    rows, following = await read_page(
        request, "tariff_assignment_rows", filters, limit, lambda row: (row["scope"], row["scope_id"])
    )
    return Page([TariffAssignment(row["scope"], row["scope_id"], row["tariff_id"]) for row in rows], following)


@put("/tariff-assignments", opt=ADMINISTRATOR)
async def put_assignment(
    request: ApiRequest, data: JSONBody[TariffAssignment], idempotency_key: IdempotencyKey = None
) -> Response[TariffAssignment]:
    """Let a tariff apply to a contract, a station or a site from now on."""
    return await _assign(request, data)


async def _assign(request: ApiRequest, assignment: TariffAssignment) -> Response[TariffAssignment]:
    async def work(connection: asyncpg.Connection) -> TariffAssignment:
        if not await connection.fetchval(query("scope_exists"), assignment.scope, assignment.scope_id):
            raise Invalid("scope_id", f"there is no {assignment.scope} {assignment.scope_id!r}")
        now = parts_of(request).clock.now().replace(microsecond=0)
        if assignment.scope == "default":
            await connection.execute(query("tariff_default_lock"))
        await refuse_where_it_applies(connection, assignment.scope, assignment.scope_id, assignment.tariff_id, now)
        await connection.execute(
            query("tariff_assign"), assignment.scope, assignment.scope_id, now, assignment.tariff_id
        )
        return assignment

    return await written(request, work)


def _check_id(tariff_id: str) -> None:
    if not 0 < len(tariff_id) <= MAX_ID_CHARS:
        raise Invalid("id", f"must be 1 to {MAX_ID_CHARS} characters")
    if "/" in tariff_id or tariff_id in _NO_IDS:
        raise Invalid("id", f"{tariff_id!r} can't be named in a path: no slash, and none of {', '.join(_NO_IDS)}")
