"""How does a running platform come to a month of priced sessions? `python -m tests.browser.october STATE_FOLDER`.

In a process of its own, because a browser under test holds this one's event loop. One company has no address; of one contract
two customers pay half each. One place has no sessions yet, and a seller.
"""

import asyncio
import sys
from pathlib import Path

from laddbok.bench import billing_data
from laddbok.store.database import open_database

CUSTOMERS, SESSIONS = 12, 60
WITHOUT_ADDRESS = "p-000005"
EMPTIED = """UPDATE payer SET kind = 'company', organisation_number = '5560360793', address = NULL, postal_code = NULL, city = NULL
    WHERE id = $1"""

SHARED = "c-000002"
OTHER_HALF = "p-000003"
HALVES = """INSERT INTO payers_agreement VALUES (1, $1, '2026-01-01Z', jsonb_build_object('shares', jsonb_build_array(
    jsonb_build_object('payer_id', $2::text, 'part', '50'))), 'anna')"""

PLACE = "lindgatan"
SITE = "INSERT INTO site (tenant, id, name, time_zone) VALUES (1, $1, 'Lindgatan', 'Europe/Stockholm')"
SOLD_BY = "INSERT INTO site_seller VALUES (1, $1, $2, '2026-01-01Z', NULL)"


async def _fill(state: Path) -> None:
    async with open_database(None, state) as database:
        connection = await database.connect()
        try:
            await billing_data.fill(connection, 1, CUSTOMERS, SESSIONS)
            await connection.execute(EMPTIED, WITHOUT_ADDRESS)
            await connection.execute(HALVES, SHARED, OTHER_HALF)
            await connection.execute(SITE, PLACE)
            await connection.execute(SOLD_BY, PLACE, billing_data.SELLER)
        finally:
            await connection.close()


if __name__ == "__main__":
    asyncio.run(_fill(Path(sys.argv[1])))
