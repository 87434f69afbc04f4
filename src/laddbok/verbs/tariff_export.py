"""How does `laddbok tariff export` write a tariff, out of a file or the database?"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from laddbok.model.errors import Invalid, NotFound
from laddbok.model.tariff import parse_tariff
from laddbok.settings import Settings
from laddbok.store.reads import on_behalf
from laddbok.store.sql import query
from laddbok.verbs.reports import each_tenant
from laddbok.wires.ocpi_files import object_in
from laddbok.wires.tariff_export import export_tariff


def export_file(path: Path, wire: str, target: Path | None, as_json: bool) -> dict[str, Any] | None:
    """Write the tariff in a file for a wire; it was last written when the file was. Raises: Invalid."""
    text = export_tariff(parse_tariff(object_in(path)), wire, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    return _written(text, wire, target, as_json)


async def export(
    settings: Settings, tariff_id: str, wire: str, target: Path | None, as_json: bool
) -> dict[str, Any] | None:
    """Write the version of a stored tariff that holds now. Raises: NotFound; Invalid."""
    now = settings.clock.now()
    async with each_tenant(settings) as (pool, tenants):
        for tenant in tenants:
            async with on_behalf(pool, tenant) as connection:
                row = await connection.fetchrow(query("tariff_held"), tariff_id, now, None)
            if row is not None:
                tariff = parse_tariff(row["document"].encode())
                return _written(export_tariff(tariff, wire, row["received_at"]), wire, target, as_json)
    raise NotFound("file or tariff", tariff_id)


def _written(text: bytes, wire: str, target: Path | None, as_json: bool) -> dict[str, Any] | None:
    """Without a file the document itself is printed, its numbers as they are."""
    if target is None:
        print((text if as_json else msgspec.json.format(text)).decode())
        return None
    try:
        target.write_bytes(text)
    except OSError as error:
        raise Invalid(str(target), f"can't be written: {error.strerror}") from None
    if not as_json:
        print(f"{target}: {len(text)} bytes")
    return {"file": str(target), "to": wire, "bytes": len(text)}
