"""Can finance see who was reminded, take a reminder back, and see to it that every document reaches its customer?"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from laddbok.flow.mail import MailDown, MailRefused
from laddbok.store.billing import RENDER, seller_terms
from laddbok.store.deliveries import put_back, refused, take
from laddbok.store.postgres import PostgresStore
from laddbok.store.reminders import RENDER_REMINDER, remind_all
from laddbok.workers.jobs import Worker
from laddbok.workers.reminding import DailyReminders
from laddbok.workers.render_invoice import InvoiceRenderer
from laddbok.workers.render_reminder import ReminderRenderer
from tests.edge.api.conftest import RunningApi
from tests.edge.api.october import READER, SELLER, STRANGER, as_, billed, filled, get

__all__ = ["billed", "filled"]

LATE = datetime(2026, 12, 15, 9, tzinfo=UTC)
"""Five days after the documents were due."""
TERMS = {
    "reminder_fee": "60", "compensation": "450", "interest_points": "8", "reference_rates": "2026-07-01 1.75",
    "reminder_days": "5, 20",
}  # fmt: skip


def seller(api: RunningApi, **change: Any) -> Any:
    now = get(api, f"/legal-entities/{SELLER}")
    kept = {name: now[name] for name in ("name", "organisation_number", "vat_number", "f_skatt", "address", "bankgiro")}
    return api.client.put(f"/legal-entities/{SELLER}", json={**kept, **change})


def with_database(api: RunningApi, do: Callable[[asyncpg.Pool], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with asyncpg.create_pool(**api.dsn, min_size=1, max_size=4) as pool:
            return await do(pool)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def late(filled: RunningApi, request: pytest.FixtureRequest) -> RunningApi:
    """October was billed under terms that cost something, nobody has paid, and it is five days late."""
    seller(filled, late_terms=TERMS).raise_for_status()
    api: RunningApi = request.getfixturevalue("billed")
    api.clock.at = LATE

    async def work(pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            [terms] = await seller_terms(connection, 1, SELLER)
            told = await remind_all(connection, 1, terms, date(2026, 12, 15), LATE, "anna")
            assert told.count == 18
            await connection.execute("UPDATE job SET due_at = $1 WHERE kind = $2", LATE, RENDER)
        kinds: dict[str, Any] = {
            RENDER: InvoiceRenderer(pool, lambda: LATE), RENDER_REMINDER: ReminderRenderer(pool, lambda: LATE),
        }  # fmt: skip
        worker = Worker("w", PostgresStore(pool), lambda: LATE, kinds)
        while await worker.work_once():
            pass

    with_database(api, work)
    return api


def test_a_reminder_stands_on_the_page_of_its_invoice_until_it_is_cancelled(late: RunningApi) -> None:
    reminder = get(late, "/reminders", limit=1)["items"][0]
    invoice_id = reminder["invoice_id"]
    assert (reminder["number"], reminder["fee"], reminder["pay_by"]) == (1, "60", "2026-12-25")
    invoice = get(late, f"/invoices/{invoice_id}")
    assert invoice["reminders"] == [reminder]
    claimed = Decimal(reminder["fee"]) + Decimal(reminder["interest"])
    assert Decimal(invoice["claims_open"]) == claimed
    assert Decimal(invoice["open"]) == Decimal(invoice["payable"]) + claimed == Decimal(reminder["total"])
    pdf = late.client.get(f"/invoices/{invoice_id}/reminders/1/pdf")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    path = f"/invoices/{invoice_id}/reminders/1/cancel"
    with as_(late, READER) as reader, as_(late, STRANGER) as stranger:
        assert reader.post(path, json={"reason": "kulans"}).status_code == 403
        assert stranger.post(path, json={"reason": "kulans"}).status_code == 404
        assert stranger.get("/reminders").json()["items"] == []
        assert stranger.get(f"/invoices/{invoice_id}/reminders/1/pdf").status_code == 404
    assert late.client.post(path, json={"reason": "  "}).json()["field"] == "reason"
    for _ in range(2):
        cancelled = late.client.post(path, json={"reason": "kulans"})
        assert (cancelled.status_code, cancelled.json()["cancelled_because"]) == (200, "kulans")
    invoice = get(late, f"/invoices/{invoice_id}")
    assert (invoice["open"], invoice["claims_open"]) == (invoice["payable"], "0")
    assert [each["kind"] for each in invoice["events"]].count("reminder_cancelled") == 1
    assert late.client.post(path.replace("/1/", "/2/"), json={"reason": "x"}).status_code == 404


def test_reminders_are_paged_and_found_by_customer(late: RunningApi) -> None:
    first = get(late, "/reminders", limit=10)
    second = get(late, "/reminders", limit=10, cursor=first["next"])
    found = [each["invoice_id"] for page in (first, second) for each in page["items"]]
    assert (len(found), len(set(found)), second["next"]) == (18, 18, None)
    payer = first["items"][3]["payer_id"]
    assert {each["payer_id"] for each in get(late, "/reminders", payer_id=payer)["items"]} == {payer}
    assert late.client.get("/reminders", params={"cursor": "x"}).status_code == 422


def test_what_was_in_the_way_of_reminders_is_told(late: RunningApi) -> None:
    assert get(late, "/reminder-runs") == []
    with_database(late, lambda pool: DailyReminders(pool, lambda: LATE).once())
    [run] = get(late, "/reminder-runs")
    assert (run["seller_id"], run["day"], run["count"], run["left_out"]) == (SELLER, "2026-12-15", 0, [])
    with as_(late, STRANGER) as stranger:
        assert stranger.get("/reminder-runs").json() == []


def test_what_waits_for_mail_or_for_hands_is_told_and_done(late: RunningApi) -> None:
    late.sql("UPDATE payer SET email = NULL WHERE id = 'p-000001' RETURNING id")
    figures = get(late, "/deliveries/figures")
    assert figures == {"has_mail_server": False, "for_mail": 33, "by_hand": 2, "failed": 0, "trouble": None}
    by_hand = get(late, "/deliveries", state="waiting", way="hand")["items"]
    assert {(each["payer_id"], each["reminder"]) for each in by_hand} == {("p-000001", 0), ("p-000001", 1)}
    path = f"/deliveries/{by_hand[0]['invoice_id']}/1"
    with as_(late, READER) as reader, as_(late, STRANGER) as stranger:
        assert reader.post(f"{path}/sent").status_code == 403
        assert stranger.post(f"{path}/sent").status_code == 404
        assert stranger.get("/deliveries/figures").json()["by_hand"] == 0
    for _ in range(2):
        assert late.client.post(f"{path}/sent").json()["state"] == "sent"
    assert late.client.post(f"{path}/again").status_code == 409
    assert get(late, "/deliveries/figures")["by_hand"] == 1
    pages = get(late, "/deliveries", limit=30)
    rest = get(late, "/deliveries", limit=30, cursor=pages["next"])
    assert (len(pages["items"]), len(rest["items"]), rest["next"]) == (30, 6, None)


def test_many_are_given_out_in_one_step_or_none_of_them(late: RunningApi) -> None:
    waiting = get(late, "/deliveries", state="waiting", limit=20)["items"]
    documents = [{"invoice_id": each["invoice_id"], "reminder": each["reminder"]} for each in waiting]
    before = get(late, "/deliveries/figures")
    already = late.sql("SELECT count(*) FROM invoice_event WHERE kind = 'sent'")
    with as_(late, READER) as reader, as_(late, STRANGER) as stranger:
        assert reader.post("/deliveries/sent", json={"documents": documents}).status_code == 403
        assert stranger.post("/deliveries/sent", json={"documents": documents}).status_code == 404
    for wrong, status in (({"invoice_id": "nobody"}, 404), ({"invoice_id": "x", "reminder": -1}, 422)):
        assert late.client.post("/deliveries/sent", json={"documents": [*documents, wrong]}).status_code == status
    assert late.client.post("/deliveries/sent", json={"documents": []}).status_code == 422
    assert late.client.post("/deliveries/sent", json={"documents": documents[:1] * 501}).status_code == 422
    assert get(late, "/deliveries/figures") == before, "all or none"
    for _ in range(2):
        after = late.client.post("/deliveries/sent", json={"documents": documents}).json()
        assert after["for_mail"] + after["by_hand"] == before["for_mail"] + before["by_hand"] - 20
    told = late.sql("SELECT count(*) FROM invoice_event WHERE kind = 'sent'")
    assert told[0]["count"] == already[0]["count"] + 20, "each is told once"
    assert {each["invoice_id"] for each in get(late, "/deliveries", state="sent")["items"]} >= {
        each["invoice_id"] for each in documents
    }


def test_the_figures_count_by_the_address_to_which_it_would_go(late: RunningApi) -> None:
    late.sql("UPDATE payer SET on_paper = true WHERE id = 'p-000001' RETURNING id")
    late.sql("UPDATE payer SET email = '' WHERE id = 'p-000002' RETURNING id")
    figures = get(late, "/deliveries/figures")
    for way, name in (("mail", "for_mail"), ("hand", "by_hand")):
        assert len(get(late, "/deliveries", state="waiting", way=way, limit=100)["items"]) == figures[name] > 0


def test_a_mail_that_failed_is_named_and_sent_again(late: RunningApi) -> None:
    async def fail(pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            one = await take(connection, LATE)
            other = await take(connection, LATE)
            assert one is not None and other is not None
            await refused(connection, one, MailRefused("550 no such user", is_final=True), LATE)
            await put_back(connection, other, str(MailDown("mail.example:587: refused")), LATE)

    with_database(late, fail)
    [failed] = get(late, "/deliveries", state="failed")["items"]
    assert (failed["tried"], failed["last_error"]) == (failed["address"], "550 no such user")
    figures = get(late, "/deliveries/figures")
    assert (figures["failed"], figures["trouble"]) == (1, "mail.example:587: refused")
    again = late.client.post(f"/deliveries/{failed['invoice_id']}/{failed['reminder']}/again").json()
    assert (again["state"], again["tries"], again["last_error"]) == ("waiting", 0, None)
    kinds = [each["kind"] for each in get(late, f"/invoices/{failed['invoice_id']}")["events"]]
    assert kinds[-2:] == ["not_sent", "send_again"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"late_terms": {"reminder_days": "20, 5"}}, "late_terms.reminder_days"),
        ({"late_terms": {"reminder_fee": "sextio"}}, "late_terms.reminder_fee"),
        ({"late_terms": {"interest_points": "8"}}, "late_terms.reference_rates"),
        ({"accounts": {"petty_cash": "1910"}}, "accounts.petty_cash"),
    ],
)
def test_terms_that_could_not_be_kept_are_refused_when_they_are_written(
    late: RunningApi, change: dict[str, Any], field: str
) -> None:
    answer = seller(late, **change)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert get(late, f"/legal-entities/{SELLER}")["late_terms"] == TERMS
