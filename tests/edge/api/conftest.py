"""What do the API's tests share? The API on a real port and a real database, with one tenant set up and a key to it."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from laddbok.api.app import build_api
from laddbok.api.listen import bind, serve
from laddbok.api.payment_wires import PaymentWires
from laddbok.api.settings import ApiSettings
from laddbok.billing_checks import DocumentChecks
from laddbok.model.clock import SystemClock
from laddbok.store.embedded import Dsn
from laddbok.store.people import ensure_admin, ensure_admin_key
from laddbok.wires.bank_files import read_bank_file
from laddbok.wires.exchange_rates import read_rates
from laddbok.wires.ocmf import check_reading
from laddbok.wires.payment_providers import ProviderSettings, make_providers, read_callback
from laddbok.wires.stripe import StripeSettings
from laddbok.wires.swish import SwishSettings
from laddbok.wires.tariff_export import export_tariff

KEY = "test-key-0123456789abcdef"
WEBHOOK_SECRET = "whsec-test"
PROVIDERS = make_providers(
    ProviderSettings(
        swish=SwishSettings(url="http://127.0.0.1:9", payee="1231181189", callback_url="http://127.0.0.1:9/cb"),
        stripe=StripeSettings(url="http://127.0.0.1:9", key="sk-test", webhook_secret=WEBHOOK_SECRET),
    ),
    SystemClock(),
)
WIRES = PaymentWires(read_bank_file, partial(read_callback, PROVIDERS), read_rates, frozenset(PROVIDERS))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class SetClock:
    """A clock that stands where the test puts it."""

    speed = 1.0

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class RunningApi:
    """The API as tests meet it."""

    url: str
    dsn: Dsn
    password: str
    """The administrator's one-time password."""
    clock: SetClock
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=f"{self.url}/api/v1", headers={"Authorization": f"Bearer {KEY}"}, timeout=20
        )

    def sql(self, statement: str, *arguments: Any) -> list[Any]:
        """Run a statement as the tables' owner."""

        async def run() -> list[Any]:
            connection = await asyncpg.connect(**self.dsn)
            try:
                rows: list[Any] = await connection.fetch(statement, *arguments)
            finally:
                await connection.close()
            return rows

        return asyncio.run(run())


async def _run(
    dsn: Dsn, clock: SetClock, listener: Any, ready: threading.Event, stop: threading.Event, told: dict[str, str]
) -> None:
    pool = await asyncpg.create_pool(**dsn, min_size=2, max_size=10)
    async with pool.acquire() as connection:
        told["password"] = str(await ensure_admin(connection, NOW))
        await ensure_admin_key(connection, KEY, NOW)
    settings = ApiSettings(command_time_limit_s=2.0, live_interval_s=0.2, heartbeat_s=0.5)
    api = build_api(
        settings, pool, clock, check_reading, export_tariff, WIRES, DocumentChecks(Path("no-rules")), SystemClock()
    )
    ended = asyncio.Event()
    serving = asyncio.create_task(serve(api, listener, ended))
    ready.set()
    while not stop.is_set():
        await asyncio.sleep(0.02)
    ended.set()
    await serving
    await pool.close()


@pytest.fixture(scope="module")
def api(fresh_database: Dsn) -> Iterator[RunningApi]:
    """The API of this test module, on a free port."""
    clock = SetClock()
    listener = bind("127.0.0.1", 0)
    ready, stop = threading.Event(), threading.Event()
    told: dict[str, str] = {}
    thread = threading.Thread(target=lambda: asyncio.run(_run(fresh_database, clock, listener, ready, stop, told)))
    thread.start()
    assert ready.wait(20)
    running = RunningApi(f"http://127.0.0.1:{listener.getsockname()[1]}", fresh_database, told["password"], clock)
    yield running
    running.client.close()
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def house(api: RunningApi) -> RunningApi:
    """The API with a site, its seller, and a 1.6 station with one outlet."""
    assert api.client.put("/legal-entities/ab", json={"name": "Ladd AB"}).status_code == 200
    site = {"name": "Torget", "time_zone": "Europe/Stockholm", "seller_id": "ab"}
    assert api.client.put("/sites/torget", json=site).status_code == 200
    evse = {"evse_id": 1, "max_power_w": 11_000, "connectors": [{"connector_id": 1}]}
    station = {"station_id": "LB-1", "site_id": "torget", "evses": [evse]}
    assert api.client.post("/stations", json=station).status_code == 201
    return api


@pytest.fixture(autouse=True)
def _clock_set_back(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test begins at NOW."""
    yield
    if "api" in request.fixturenames:
        request.getfixturevalue("api").clock.at = NOW
