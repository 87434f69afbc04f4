"""Does a payment end right when its provider calls the real API back twice, late, never, before its answer, or out of order?"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from laddbok.bench import billing_data
from laddbok.store.payment_requests import ASK_PAYMENT, NewRequest, add_request
from laddbok.store.postgres import PostgresStore
from laddbok.wires.stripe import Stripe, StripeSettings
from laddbok.wires.swish import Swish, SwishSettings
from laddbok.workers.jobs import Worker
from laddbok.workers.payments import PaymentAsker
from tests.edge.api.conftest import WEBHOOK_SECRET, RunningApi
from tests.edge.fake_provider import FakeProvider, fake_provider

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def seller(api: RunningApi) -> RunningApi:
    """The API with a seller."""

    async def fill() -> None:
        connection = await asyncpg.connect(**api.dsn)
        await billing_data.fill(connection, 1, 2, 0)
        await connection.close()

    asyncio.run(fill())
    return api


@pytest.fixture
def fake(seller: RunningApi) -> Iterator[FakeProvider]:
    with fake_provider() as running:
        running.callback_url = f"{seller.url}/api/v1/payment-callbacks"
        running.webhook_secret = WEBHOOK_SECRET
        yield running


class Office:
    """A worker on the API's database, whose clock goes on with each look."""

    def __init__(self, api: RunningApi, fake: FakeProvider) -> None:
        self.api, self.fake = api, fake
        self.at = AT

    def _now(self) -> datetime:
        return self.at

    def collect(self, provider: str) -> str:
        async def work() -> str:
            connection = await asyncpg.connect(**self.api.dsn)
            new = NewRequest(provider=provider, amount=Decimal("20.00"), message="Laddning", session_id="S-9")
            request_id = await add_request(connection, 1, billing_data.SELLER, new, self.at)
            await connection.close()
            return request_id

        return asyncio.run(work())

    def work(self, looks: int) -> None:
        """Take due jobs so many times, some seconds apart."""

        async def work() -> None:
            providers: dict[str, Any] = {
                "swish": Swish(SwishSettings(url=self.fake.url, payee="1", callback_url="x", answer_s=5.0), None),
                "stripe": Stripe(
                    StripeSettings(url=self.fake.url, key="k", webhook_secret="x", answer_s=5.0), lambda: 0
                ),
            }
            async with asyncpg.create_pool(**self.api.dsn, min_size=1, max_size=4) as pool:
                asker = PaymentAsker(pool, providers, self._now)
                worker = Worker("w", PostgresStore(pool), self._now, {ASK_PAYMENT: asker})
                for _ in range(looks):
                    await worker.work_once()
                    self.at += timedelta(seconds=5)

        asyncio.run(work())

    def state(self, request_id: str) -> str:
        return str(self.api.sql("SELECT state FROM payment_request WHERE id = $1", request_id)[0]["state"])

    def paid(self, request_id: str) -> list[Any]:
        return [row["amount"] for row in self.api.sql("SELECT amount FROM payment WHERE request_id = $1", request_id)]


@pytest.mark.parametrize("provider", ["swish", "stripe"])
@pytest.mark.parametrize("times", [0, 1, 2])
@pytest.mark.parametrize("first", [False, True])
def test_B56_called_back_so_often_and_before_the_answer_it_is_paid_once(
    seller: RunningApi, fake: FakeProvider, provider: str, times: int, first: bool
) -> None:
    fake.calls_back, fake.calls_back_first = times, first
    office = Office(seller, fake)
    request_id = office.collect(provider)
    office.work(2)
    intent_id = request_id if provider == "swish" else f"pi_request-{request_id}"
    fake.pay(intent_id)
    if provider == "stripe":
        fake.become(intent_id, "succeeded")
    office.work(4)
    assert (office.state(request_id), office.paid(request_id)) == ("paid", [Decimal("20.00")])
    assert set(fake.callbacks) <= {204}
    assert len(fake.callbacks) >= times
    office.work(2)
    assert len(office.paid(request_id)) == 1
    assert seller.sql("SELECT sum(amount) AS n FROM posting")[0]["n"] == 0


def test_B56_callbacks_out_of_order_end_as_the_provider_says_now(seller: RunningApi, fake: FakeProvider) -> None:
    """It was paid, and the word that it was created comes after that; then one that it was declined, which it was not."""
    office = Office(seller, fake)
    request_id = office.collect("swish")
    office.work(1)
    fake.pay(request_id)
    office.work(2)
    intent = fake.intents[request_id]
    for word in ("CREATED", "DECLINED", "PAID"):
        intent.status = word
        told = fake._told(request_id)
        intent.status = "PAID"
        assert told.status_code == 204
        office.work(1)
    assert (office.state(request_id), office.paid(request_id)) == ("paid", [Decimal("20.00")])


def test_B56_called_back_late_after_it_expired_it_is_a_refund_task(seller: RunningApi, fake: FakeProvider) -> None:
    office = Office(seller, fake)
    request_id = office.collect("swish")
    office.work(1)
    office.at += timedelta(minutes=40)
    office.work(1)
    assert office.state(request_id) == "expired"
    fake.pay(request_id)
    seller.clock.at = office.at
    office.work(3)
    assert office.paid(request_id) == [Decimal("20.00")]
    [refund] = seller.sql(
        "SELECT r.state FROM refund r JOIN payment p ON p.id = r.payment_id WHERE p.request_id = $1", request_id
    )
    assert refund["state"] == "proposed"
