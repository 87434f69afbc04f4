"""Does somebody who charges in the demo without a contract pay by card, and get a receipt?"""

from collections.abc import Callable
from decimal import Decimal

from laddbok.demo.drop_in import HELD, hold_for_new
from laddbok.model.invoice import InvoiceKind
from laddbok.store.embedded import Dsn
from laddbok.store.postgres import PostgresStore
from laddbok.wires.demo_payments import NAME, DemoPayments
from laddbok.workers.held_sessions import HeldSessions
from laddbok.workers.payments import HoldKeeper, RefundSender
from tests.edge.fake_provider import fake_provider
from tests.edge.paid_at_once import Station, on


def test_who_has_no_contract_pays_by_card_and_gets_a_receipt(new_database: Callable[[], Dsn]) -> None:
    async def work(station: Station) -> None:
        await station.begin("active")
        assert [await hold_for_new(station.connection, station.at) for _ in range(2)] == [1, 0]
        sessions = HeldSessions(PostgresStore(station.pool), station.pool, lambda: station.at)
        demo = {NAME: DemoPayments()}
        station.keeper = HoldKeeper(station.pool, demo, lambda: station.at, sessions.cost_of, sessions.stop)
        station.sender = RefundSender(station.pool, demo, lambda: station.at)
        hold = await station.one("SELECT id FROM card_hold")
        await station.connection.execute("UPDATE session SET state = 'ended'")
        await station.work(station.keeper, hold["id"], times=2)
        assert (await station.one("SELECT held FROM card_hold"))["held"] == HELD
        await station.price(20_000)
        await station.jobs()
        [receipt] = await station.documents()
        assert (receipt.kind, receipt.totals.prepaid) == (InvoiceKind.RECEIPT, Decimal("100.00"))
        await station.price(15_000, revision=2)
        await station.jobs()
        assert (await station.books())["1580"] == Decimal("75.00")
        await station.all_is_right()

    with fake_provider() as fake:
        on(new_database(), fake, work)
