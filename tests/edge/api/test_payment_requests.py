"""Can an invoice be paid through a provider, and does a hold keep above the cost of a real session, or stop it?"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from laddbok.bench import billing_data
from laddbok.flow.changes import Job
from laddbok.flow.store import LeasedJob
from laddbok.model.session import Session, SessionState
from laddbok.store import billing
from laddbok.store.postgres import PostgresStore
from laddbok.wires.stripe import Stripe, StripeSettings
from laddbok.workers.held_sessions import HeldSessions
from laddbok.workers.payments import HoldKeeper
from tests.edge.api.charges import TARIFF, running, store
from tests.edge.api.conftest import NOW, RunningApi
from tests.edge.fake_provider import FakeProvider, fake_provider
from tests.store.test_payments import document


@pytest.fixture(scope="module")
def seller(house: RunningApi) -> RunningApi:
    """A house whose seller has an invoice open, and a tariff."""
    house.client.post("/tariffs", json=TARIFF).raise_for_status()

    async def fill() -> None:
        connection = await asyncpg.connect(**house.dsn)
        await connection.execute("UPDATE legal_entity SET bankgiro = '991-2346'")
        await billing_data._customers(connection, 1, 2)
        [terms] = await billing.seller_terms(connection, 1, "ab")
        await billing.finalise(connection, 1, terms, [document(terms, "p-000001", "Kund 1", "250.00")], None, NOW)
        await connection.close()

    asyncio.run(fill())
    return house


def session_of(house: RunningApi, number: int, **more: Any) -> Session:
    session = running(number)
    store(
        house,
        Session(**{name: getattr(session, name) for name in session.__struct_fields__} | {"seller_id": "ab"} | more),
    )
    return session


# ------------------------------------------------------------------------------------------------ requests
def test_what_is_owed_on_an_invoice_is_asked_for(seller: RunningApi) -> None:
    answer = seller.client.post(
        "/payment-requests", json={"provider": "swish", "invoice": "10000001", "payer_alias": "46701234567"}
    )
    assert answer.status_code == 201
    found = answer.json()
    assert (found["amount"], found["state"], found["invoice_id"]) == ("250.00", "wanted", "ab-10000001")
    assert seller.client.get(f"/payment-requests/{found['id']}").json() == found
    assert seller.sql("SELECT key FROM job WHERE kind = 'ask_payment'")[0]["key"] == f"1/{found['id']}"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"provider": "swish"}, 422, "invoice"),
        ({"provider": "paypal", "invoice": "10000001"}, 422, "provider"),
        ({"provider": "swish", "invoice": "10000001", "amount": "250.01"}, 422, "amount"),
        ({"provider": "swish", "invoice": "10000001", "amount": "-1"}, 422, "amount"),
        ({"provider": "swish", "invoice": "19999999"}, 404, None),
        ({"provider": "swish", "invoice": "10000001", "payer_alias": "x"}, 422, "payer_alias"),
    ],
)
def test_what_can_not_be_asked_for_is_refused_by_name(
    seller: RunningApi, body: dict[str, str], status: int, field: str | None
) -> None:
    answer = seller.client.post("/payment-requests", json=body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)


def test_a_session_is_paid_at_once_and_has_one_hold(seller: RunningApi) -> None:
    session = session_of(seller, 70)
    paid = {"provider": "swish", "session_id": session.id}
    assert seller.client.post("/payment-requests", json=paid).json()["field"] == "amount"
    assert seller.client.post("/payment-requests", json=paid | {"amount": "20"}).json()["session_id"] == session.id
    path = f"/sessions/{session.id}/hold"
    assert seller.client.get(path).status_code == 404
    for amounts in ({"amount": "0"}, {"amount": "300", "highest": "200"}):
        assert seller.client.post(path, json={"provider": "stripe", **amounts}).json()["field"] == "amount"
    hold = {"provider": "stripe", "amount": "300", "highest": "600"}
    assert seller.client.post(path, json=hold).json()["state"] == "wanted"
    assert seller.client.get(path).json()["highest"] == "600"
    assert seller.client.post(path, json=hold).status_code == 409
    assert seller.client.post("/sessions/AAAA-AAAA-AAAA-AAAA/hold", json=hold).status_code in (404, 422)


# ------------------------------------------------------------------------------------------------ holds on real sessions
@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider() as one:
        yield one


def kept(house: RunningApi, fake: FakeProvider, hold_id: str, looks: int = 1) -> None:
    """Look at a hold as the worker does, so many times."""

    async def work(held: HeldSessions, pool: asyncpg.Pool) -> None:
        stripe: dict[str, Any] = {
            "stripe": Stripe(StripeSettings(url=fake.url, key="k", webhook_secret="x", answer_s=5.0), lambda: 0)
        }
        keeper = HoldKeeper(pool, stripe, lambda: house.clock.at, held.cost_of, held.stop)
        job = Job(tenant=1, kind="card_hold", key=f"1/{hold_id}", due_at=NOW)
        for _ in range(looks):
            await keeper(LeasedJob(id=1, job=job, attempts=1, requests=1))

    with_sessions(house, work)


def with_sessions(house: RunningApi, work: Callable[[HeldSessions, asyncpg.Pool], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with asyncpg.create_pool(**house.dsn, min_size=1, max_size=4) as pool:
            return await work(HeldSessions(PostgresStore(pool), pool, lambda: house.clock.at), pool)

    return asyncio.run(run())


def test_B46_a_running_session_is_stopped_by_a_command_before_its_cost_passes_the_hold(
    seller: RunningApi, fake: FakeProvider
) -> None:
    """5 kWh at 3.20 and 25 % VAT are 20.00; an outlet of 11 kW can add 1.47 in two minutes."""
    seller.clock.at = NOW + timedelta(hours=1)
    session = session_of(seller, 71)
    cost = with_sessions(seller, lambda held, _: held.cost_of(1, session.id))
    assert (cost.amount, cost.is_final) == (Decimal("20.00"), False)
    assert round(cost.per_s * 120, 2) == Decimal("1.47")
    path = f"/sessions/{session.id}/hold"
    hold_id = seller.client.post(path, json={"provider": "stripe", "amount": "21.40"}).json()["id"]
    kept(seller, fake, hold_id)
    fake.authorise(f"pi_request-{hold_id}")
    kept(seller, fake, hold_id)
    assert (seller.client.get(path).json()["state"], seller.client.get(path).json()["stop_asked_at"]) == ("held", None)
    seller.sql("UPDATE station SET connected = true, owner = 'g', protocol = 'ocpp1.6' WHERE identity = 'LB-1'")
    kept(seller, fake, hold_id, looks=2)
    [command] = seller.sql("SELECT action, payload, requested_by FROM command WHERE session_id = $1", session.id)
    assert (command["action"], command["requested_by"]) == ("RemoteStopTransaction", "card hold")
    assert command["payload"] == '{"transactionId": 71}'
    seller.sql("UPDATE session SET state = 'void' WHERE id = $1", session.id)
    kept(seller, fake, hold_id)
    assert seller.client.get(path).json()["state"] == "released"


def test_B19_a_session_that_was_never_charged_costs_nothing_and_one_in_review_is_not_known(seller: RunningApi) -> None:
    for number, state, expected in ((72, SessionState.VOID, Decimal(0)), (73, SessionState.REVIEW, None)):
        session = session_of(seller, number, state=state)
        cost = with_sessions(seller, lambda held, _, key=session.id: held.cost_of(1, key))
        assert (cost and cost.amount) == expected
    assert with_sessions(seller, lambda held, _: held.cost_of(1, "none")) is None
