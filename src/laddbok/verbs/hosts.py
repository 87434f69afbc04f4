"""How do `laddbok host agree` and `laddbok host settle` run?"""

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from laddbok.billing_checks import DocumentChecks
from laddbok.flow.billing_run import period_of
from laddbok.model.errors import Invalid, NotFound
from laddbok.settings import Settings
from laddbok.store.billing import seller_terms
from laddbok.store.hosts import Settled, agree, settle_hosts
from laddbok.verbs.books import opened

MAX_BYTES = 65_536


async def settle(
    settings: Settings, month: str, seller_id: str | None, *, final: bool, as_json: bool
) -> tuple[dict[str, Any], int]:
    """Settle a month with the hosts of a seller, or of all. Returns: the statements; exit code 1 when something is in the way.

    Raises: NotFound, Conflict, Invalid.
    """
    now, every = settings.clock.now(), list[Settled]()
    async with opened(settings) as (connection, tenant):
        found = await seller_terms(connection, tenant, seller_id)
        if not found:
            raise NotFound("legal entity", seller_id or "")
        check = DocumentChecks(settings.einvoice_rules)
        for terms in found:
            period = period_of(month, terms, now)
            every += await settle_hosts(connection, tenant, terms, period, now, check, final=final)
    if not as_json:
        for each in every:
            print(
                f"{each.name}: {each.sessions} sessions, {each.energy_wh} Wh, {each.payable} to pay, {each.id or 'not final'}"
            )
            for stop in each.in_the_way:
                print(f"  not settled: {stop.field}: {stop.reason}")
    told = {"final": final, "period": month, "statements": msgspec.to_builtins(every)}
    return told, 1 if any(each.in_the_way for each in every) else 0


async def agreed(
    settings: Settings, site_id: str, host_id: str, first: date, file: Path, as_json: bool
) -> dict[str, Any]:
    """Keep what was agreed with a host from a day on, by the clock of the platform. Raises: Invalid, NotFound, Conflict."""
    try:
        with file.open("rb") as opened_file:
            document = opened_file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid("file", f"{file} can't be read: {error.strerror}") from error
    if len(document) > MAX_BYTES:
        raise Invalid("file", f"{file} is longer than {MAX_BYTES} bytes")
    since = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(settings.time_zone))
    async with opened(settings) as (connection, tenant):
        await agree(connection, tenant, site_id, host_id, since, document, "cli")
    if not as_json:
        print(f"{host_id} at {site_id} from {first} on")
    return {"site": site_id, "host": host_id, "from": first}
