"""Is money collected, held and paid back once, however badly a provider behaves? A real HTTP server and a real database."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from laddbok.bench import billing_data
from laddbok.flow.card_payments import Cost
from laddbok.flow.changes import Job
from laddbok.flow.payment_provider import (
    PaymentProvider,
)
from laddbok.flow.store import LeasedJob
from laddbok.model.errors import Conflict
from laddbok.store.embedded import Dsn
from laddbok.store.payment_moves import decide_refund, request_refund
from laddbok.store.payment_requests import NewRequest, add_hold, add_request
from laddbok.wires.stripe import Stripe, StripeSettings
from laddbok.wires.swish import Swish, SwishSettings
from laddbok.workers.payments import HoldKeeper, PaymentAsker, RefundSender
from tests.edge.fake_provider import FakeProvider, fake_provider

NOW = datetime(2026, 12, 4, 12, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


def providers_of(fake: FakeProvider, answer_s: float = 0.5) -> dict[str, PaymentProvider]:
    return {
        "swish": Swish(SwishSettings(url=fake.url, payee="1231181189", callback_url="https://x.example/cb", answer_s=answer_s), None),
        "stripe": Stripe(StripeSettings(url=fake.url, key="sk-test", webhook_secret="whsec-test", answer_s=answer_s), lambda: 0),
    }  # fmt: skip


class Desk:
    """A database with a seller, the fake's providers, and a clock that the test moves."""

    def __init__(self, connection: asyncpg.Connection, pool: asyncpg.Pool, tenant: int, fake: FakeProvider) -> None:
        self.connection = connection
        self.tenant = tenant
        self.at = NOW
        self.costs: list[Cost | None] = []
        self.stopped: list[str] = []
        self.can_stop = True
        providers = providers_of(fake)
        self.asker = PaymentAsker(pool, providers, lambda: self.at)
        self.sender = RefundSender(pool, providers, lambda: self.at)
        self.keeper = HoldKeeper(pool, providers, lambda: self.at, self._cost, self._stop)

    async def _cost(self, _: int, __: str) -> Cost | None:
        return self.costs[0] if self.costs else None

    async def _stop(self, _: int, session_id: str) -> None:
        if not self.can_stop:
            raise Conflict("not connected")
        self.stopped.append(session_id)

    async def collect(self, provider: str, amount: str = "66.55") -> str:
        wanted = NewRequest(provider=provider, amount=Decimal(amount), message="Laddning", payer_id="p-000001")
        return await add_request(self.connection, self.tenant, billing_data.SELLER, wanted, self.at)

    async def hold(self, amount: str = "500", highest: str | None = None) -> str:
        most = None if highest is None else Decimal(highest)
        return await add_hold(
            self.connection, self.tenant, billing_data.SELLER, "S-1", "stripe", Decimal(amount), most, "SEK", self.at
        )

    async def work(self, does: Any, key: str, times: int = 1) -> timedelta | None:
        """Do a job; its clock goes on as it asks. Returns: when it wants to come again."""
        again: datetime | None = None
        for _ in range(times):
            job = Job(tenant=self.tenant, kind="x", key=f"{self.tenant}/{key}", due_at=self.at)
            again = await does(LeasedJob(id=1, job=job, attempts=1, requests=1))
            if again is None:
                return None
            asked_at, self.at = self.at, again
        return None if again is None else again - asked_at

    async def one(self, statement: str) -> dict[str, Any]:
        row = await self.connection.fetchrow(statement)
        assert row is not None
        return dict(row)

    async def books(self) -> dict[str, Decimal]:
        rows = await self.connection.fetch("SELECT account, sum(amount) AS a FROM posting GROUP BY 1")
        return {row["account"]: row["a"] for row in rows if row["a"]}

    async def count(self, table: str) -> int:
        number: int = await self.connection.fetchval(f"SELECT count(*) FROM {table}")
        return number


def on(dsn: Dsn, fake: FakeProvider, work: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        connection = await asyncpg.connect(**dsn)
        pool = await asyncpg.create_pool(**dsn, min_size=1, max_size=4)
        try:
            tenant = await connection.fetchval(
                "INSERT INTO tenant (name, created_at) VALUES ('T', $1) RETURNING tenant", NOW
            )
            await billing_data.fill(connection, tenant, 3, 0)
            desk = Desk(connection, pool, tenant, fake)
            await work(desk)
            assert sum((await desk.books()).values(), Decimal(0)) == 0
        finally:
            await pool.close()
            await connection.close()

    asyncio.run(main())


# ------------------------------------------------------------------------------------------------ requests
@pytest.mark.parametrize("provider", ["swish", "stripe"])
def test_B56_told_twice_or_asked_again_a_payment_is_written_once(
    new_database: Callable[[], Dsn], fake: FakeProvider, provider: str
) -> None:
    async def work(desk: Desk) -> None:
        request_id = await desk.collect(provider)
        assert await desk.work(desk.asker, request_id) is not None
        [intent] = fake.intents.values()
        assert intent.minor == 6655
        fake.pay(intent.id)
        if provider == "stripe":
            fake.become(intent.id, "succeeded")
        assert await desk.work(desk.asker, request_id, times=3) is None
        await desk.work(desk.asker, request_id)
        assert (await desk.one("SELECT state FROM payment_request"))["state"] == "paid"
        assert await desk.books() == {"1580": Decimal("66.55"), "2420": Decimal("-66.55")}
        assert await desk.count("payment") == 1

    on(new_database(), fake, work)


def test_B56_never_told_it_is_found_by_asking(new_database: Callable[[], Dsn], fake: FakeProvider) -> None:
    async def work(desk: Desk) -> None:
        request_id = await desk.collect("swish")
        waits = [await desk.work(desk.asker, request_id) for _ in range(6)]
        assert all(wait is not None for wait in waits)
        assert sorted(waits, key=lambda wait: wait or NOW - NOW) == waits
        fake.pay(request_id)
        assert await desk.work(desk.asker, request_id) is None
        assert await desk.count("payment") == 1

    on(new_database(), fake, work)


def test_B56_paid_after_it_was_cancelled_is_a_refund_task(new_database: Callable[[], Dsn], fake: FakeProvider) -> None:
    async def work(desk: Desk) -> None:
        request_id = await desk.collect("swish")
        await desk.work(desk.asker, request_id)
        desk.at += timedelta(minutes=31)
        await desk.work(desk.asker, request_id)
        assert (await desk.one("SELECT state FROM payment_request"))["state"] == "expired"
        assert fake.intents[request_id].status == "CANCELLED"
        fake.pay(request_id)
        await desk.work(desk.asker, request_id, times=2)
        assert (await desk.one("SELECT state FROM payment_request"))["state"] == "expired"
        refund = await desk.one("SELECT id, state, amount, reason FROM refund")
        assert (refund["state"], refund["amount"], refund["reason"]) == (
            "proposed",
            Decimal("66.55"),
            "paid_after_cancel",
        )
        await decide_refund(desk.connection, desk.tenant, refund["id"], pay=True, now=NOW, by="eva")
        await desk.work(desk.sender, refund["id"], times=3)
        assert (await desk.one("SELECT state FROM refund"))["state"] == "paid"
        assert fake.intents[request_id].paid_back == 6655
        assert await desk.books() == {}

    on(new_database(), fake, work)


@pytest.mark.parametrize("provider", ["swish", "stripe"])
@pytest.mark.parametrize("trouble", ["answers_500", "silent"])
def test_an_answer_that_is_lost_asks_for_nothing_twice(
    new_database: Callable[[], Dsn], fake: FakeProvider, provider: str, trouble: str
) -> None:
    async def work(desk: Desk) -> None:
        request_id = await desk.collect(provider)
        setattr(fake, trouble, 2)
        await desk.work(desk.asker, request_id, times=5)
        assert len(fake.intents) == 1
        row = await desk.one("SELECT state, provider_reference FROM payment_request")
        assert row["provider_reference"] == next(iter(fake.intents))

    on(new_database(), fake, work)


def test_another_amount_than_was_asked_for_is_what_was_paid(
    new_database: Callable[[], Dsn], fake: FakeProvider
) -> None:
    async def work(desk: Desk) -> None:
        request_id = await desk.collect("swish")
        await desk.work(desk.asker, request_id)
        fake.pay(request_id, 5000)
        await desk.work(desk.asker, request_id)
        assert (await desk.books())["1580"] == Decimal("50.00")

    on(new_database(), fake, work)


def test_what_is_declined_ends_unpaid(new_database: Callable[[], Dsn], fake: FakeProvider) -> None:
    async def work(desk: Desk) -> None:
        request_id = await desk.collect("swish")
        await desk.work(desk.asker, request_id)
        fake.become(request_id, "DECLINED")
        await desk.work(desk.asker, request_id)
        assert (await desk.one("SELECT state FROM payment_request"))["state"] == "declined"
        assert (await desk.count("payment"), await desk.books()) == (0, {})

    on(new_database(), fake, work)


# ------------------------------------------------------------------------------------------------ refunds
@pytest.mark.parametrize("trouble", ["", "answers_500", "silent"])
def test_B51_a_refund_leaves_once_whatever_answers_are_lost(
    new_database: Callable[[], Dsn], fake: FakeProvider, trouble: str
) -> None:
    async def work(desk: Desk) -> None:
        request_id = await desk.collect("swish")
        await desk.work(desk.asker, request_id)
        fake.pay(request_id)
        await desk.work(desk.asker, request_id)
        payment_id = (await desk.one("SELECT id FROM payment"))["id"]
        refund = await request_refund(desk.connection, desk.tenant, payment_id, Decimal("10.00"), "k", NOW, "eva")
        if trouble:
            setattr(fake, trouble, 2)
        await desk.work(desk.sender, refund.id, times=6)
        assert (await desk.one("SELECT state FROM refund"))["state"] == "paid"
        assert (fake.intents[request_id].paid_back, len(fake.refunds)) == (1000, 1)
        assert await desk.books() == {"1580": Decimal("56.55"), "2420": Decimal("-56.55")}

    on(new_database(), fake, work)


def test_a_refund_that_the_provider_refuses_goes_back_to_the_credit(
    new_database: Callable[[], Dsn], fake: FakeProvider
) -> None:
    async def work(desk: Desk) -> None:
        request_id = await desk.collect("swish")
        await desk.work(desk.asker, request_id)
        fake.pay(request_id)
        await desk.work(desk.asker, request_id)
        fake.intents[request_id].paid_back = 6655
        payment_id = (await desk.one("SELECT id FROM payment"))["id"]
        refund = await request_refund(desk.connection, desk.tenant, payment_id, Decimal("10.00"), "k", NOW, "eva")
        assert await desk.work(desk.sender, refund.id) is None
        row = await desk.one("SELECT state, last_error FROM refund")
        assert row["state"] == "failed" and "RF03" in row["last_error"]
        assert (await desk.books())["2420"] == Decimal("-66.55")

    on(new_database(), fake, work)


# ------------------------------------------------------------------------------------------------ holds
async def held(desk: Desk, fake: FakeProvider, **amounts: Any) -> str:
    hold_id = await desk.hold(**amounts)
    await desk.work(desk.keeper, hold_id)
    fake.authorise(f"pi_request-{hold_id}")
    await desk.work(desk.keeper, hold_id)
    assert (await desk.one("SELECT state FROM card_hold"))["state"] == "held"
    return hold_id


def test_B46_a_session_is_stopped_before_its_cost_passes_the_hold(
    new_database: Callable[[], Dsn], fake: FakeProvider
) -> None:
    async def work(desk: Desk) -> None:
        hold_id = await held(desk, fake)
        desk.costs = [Cost(amount=Decimal("480.00"), per_s=Decimal("0.01"))]
        await desk.work(desk.keeper, hold_id)
        assert desk.stopped == []
        desk.costs = [Cost(amount=Decimal("499.00"), per_s=Decimal("0.01"))]
        desk.can_stop = False
        await desk.work(desk.keeper, hold_id)
        desk.can_stop = True
        await desk.work(desk.keeper, hold_id, times=3)
        assert desk.stopped == ["S-1"]
        desk.costs = [Cost(amount=Decimal("499.90"), is_final=True)]
        assert await desk.work(desk.keeper, hold_id) is None
        row = await desk.one("SELECT state, captured, held, not_covered FROM card_hold")
        assert (row["state"], row["captured"], row["held"]) == ("captured", Decimal("499.90"), Decimal(500))
        assert await desk.books() == {"1580": Decimal("499.90"), "2420": Decimal("-499.90")}
        assert await desk.work(desk.keeper, hold_id) is None
        assert await desk.count("payment") == 1

    on(new_database(), fake, work)


@pytest.mark.parametrize("may_raise", [True, False])
def test_B46_a_hold_is_raised_where_it_can_be_and_else_the_session_is_stopped(
    new_database: Callable[[], Dsn], fake: FakeProvider, may_raise: bool
) -> None:
    async def work(desk: Desk) -> None:
        fake.may_raise = may_raise
        hold_id = await held(desk, fake, highest="900")
        desk.costs = [Cost(amount=Decimal("499.00"), per_s=Decimal("0.01"))]
        await desk.work(desk.keeper, hold_id)
        held_now = (await desk.one("SELECT held FROM card_hold"))["held"]
        assert (held_now, desk.stopped) == ((Decimal(900), []) if may_raise else (Decimal(500), ["S-1"]))

    on(new_database(), fake, work)


def test_B46_never_more_than_the_hold_is_captured_and_the_rest_is_told(
    new_database: Callable[[], Dsn], fake: FakeProvider
) -> None:
    async def work(desk: Desk) -> None:
        hold_id = await held(desk, fake)
        desk.costs = [Cost(amount=Decimal("512.40"), is_final=True)]
        fake.loses = "capture"
        await desk.work(desk.keeper, hold_id, times=4)
        assert fake.loses == ""
        row = await desk.one("SELECT captured, not_covered FROM card_hold")
        assert (row["captured"], row["not_covered"]) == (Decimal(500), Decimal("12.40"))
        assert fake.intents[f"pi_request-{hold_id}"].received == 50_000
        assert await desk.count("payment") == 1

    on(new_database(), fake, work)


def test_B19_B46_a_session_that_comes_to_nothing_releases_its_hold(
    new_database: Callable[[], Dsn], fake: FakeProvider
) -> None:
    async def work(desk: Desk) -> None:
        hold_id = await held(desk, fake)
        desk.costs = [Cost(amount=Decimal("0.00"), is_final=True)]
        assert await desk.work(desk.keeper, hold_id) is None
        assert (await desk.one("SELECT state FROM card_hold"))["state"] == "released"
        assert fake.intents[f"pi_request-{hold_id}"].status == "canceled"
        assert (await desk.books(), await desk.count("payment")) == ({}, 0)

    on(new_database(), fake, work)


def test_a_captured_hold_is_paid_back_through_its_card(new_database: Callable[[], Dsn], fake: FakeProvider) -> None:
    async def work(desk: Desk) -> None:
        hold_id = await held(desk, fake)
        desk.costs = [Cost(amount=Decimal("100.00"), is_final=True)]
        await desk.work(desk.keeper, hold_id)
        payment_id = (await desk.one("SELECT id FROM payment"))["id"]
        refund = await request_refund(desk.connection, desk.tenant, payment_id, Decimal("25.00"), "k", NOW, "eva")
        await desk.work(desk.sender, refund.id, times=2)
        assert fake.intents[f"pi_request-{hold_id}"].paid_back == 2500

    on(new_database(), fake, work)
