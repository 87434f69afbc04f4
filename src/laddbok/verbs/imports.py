"""How does `laddbok import` run?"""

import sys
from pathlib import Path
from typing import Any

import msgspec
from tqdm import tqdm

from laddbok import app
from laddbok.model.clock import SystemClock
from laddbok.settings import Settings
from laddbok.store.database import open_database
from laddbok.store.sql import query
from laddbok.wires.import_sessions import import_sessions
from laddbok.wires.import_store import ImportStore


async def import_file(settings: Settings, file: str, format_name: str | None, as_json: bool) -> dict[str, Any]:
    """Import a file of sessions into the first tenant. Returns: the counts."""
    async with open_database(settings.database_url, settings.state_folder) as database:
        await app.prepare_tenant(settings, database)
        connection = await database.connect()
        bar = tqdm(total=100, desc="import", unit="%", file=sys.stderr, disable=not sys.stderr.isatty())
        try:
            tenant = await connection.fetchval(query("oldest_tenant"))

            def show(rows: int, share: float) -> None:
                bar.n = round(share * 100)
                bar.set_postfix_str(f"{rows} rows")

            with bar:
                store, now = ImportStore(connection), SystemClock().now()
                result = await import_sessions(store, Path(file), format_name, str(tenant), now, show)
        finally:
            await connection.close()
    counts: dict[str, Any] = msgspec.to_builtins(result)
    if not as_json:
        for name, value in counts.items():
            print(f"{name:20} {value}")
    return counts
