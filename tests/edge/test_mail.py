"""Does every document reach its customer by mail, whatever the mail server does, and is it known when one does not?"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from laddbok.bench import billing_data
from laddbok.billing.credit import CreditWish
from laddbok.flow.mail import MAX_TRIES, Mail, MailDown
from laddbok.model.errors import Conflict, NotFound
from laddbok.store import billing
from laddbok.store.credit_notes import credit_invoice
from laddbok.store.deliveries import given_out, look_again, send_again, take
from laddbok.store.embedded import Dsn
from laddbok.store.postgres import PostgresStore
from laddbok.store.reminders import RENDER_REMINDER, cancel_reminder, remind_all
from laddbok.wires.mail import SmtpServer
from laddbok.workers.jobs import Worker
from laddbok.workers.mailing import Mailer
from laddbok.workers.render_invoice import InvoiceRenderer
from laddbok.workers.render_reminder import ReminderRenderer
from tests.edge.smtp_server import FROM, FakeSmtp, settings_of, smtp_server
from tests.store.test_billing_run import NOW, run_october, tenant_of, terms_of

CUSTOMERS = 3


class Post:
    """A database with rendered documents, and a mailer whose clock a test moves."""

    def __init__(self, pool: asyncpg.Pool, connection: asyncpg.Connection, tenant: int, server: FakeSmtp) -> None:
        self.pool, self.connection, self.tenant, self.server = pool, connection, tenant, server
        self.at = datetime(2026, 12, 8, 9, tzinfo=UTC)

    def mailer(self) -> Mailer:
        return Mailer(self.pool, SmtpServer(settings_of(self.server)), "https://laddning.example/", lambda: self.at)

    async def rendered(self) -> None:
        kinds: dict[str, Any] = {
            billing.RENDER: InvoiceRenderer(self.pool, lambda: NOW),
            RENDER_REMINDER: ReminderRenderer(self.pool, lambda: NOW),
        }
        worker = Worker("w", PostgresStore(self.pool), lambda: self.at, kinds)
        while await worker.work_once():
            pass

    async def states(self) -> dict[str, int]:
        rows = await self.connection.fetch("SELECT state, count(*) AS n FROM delivery GROUP BY state")
        return {row["state"]: row["n"] for row in rows}

    async def events(self, *kinds: str) -> list[Any]:
        rows = await self.connection.fetch(
            "SELECT kind, body::text AS body FROM invoice_event WHERE kind = ANY($1::text[]) ORDER BY at, invoice_id",
            kinds,
        )
        return [tuple(row) for row in rows]


def on(dsn: Dsn, work: Callable[[Post], Any]) -> None:
    """Run with October billed to three customers, one of whom receives e-invoices, and a mail server."""

    async def main(server: FakeSmtp) -> None:
        pool = asyncpg.create_pool(**dsn, min_size=1, max_size=6)
        async with pool, pool.acquire() as connection, pool.acquire() as reader:
            tenant = await tenant_of(connection)
            await billing_data.fill(connection, tenant, CUSTOMERS, 2 * CUSTOMERS)
            await run_october(connection, reader, tenant)
            post = Post(pool, connection, tenant, server)
            await post.rendered()
            await work(post)

    with smtp_server() as server:
        asyncio.run(main(server))


def test_a_rendered_document_is_mailed_once_with_its_files_and_the_link_to_its_page(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(post: Post) -> None:
        assert await post.states() == {"waiting": CUSTOMERS}
        assert await asyncio.gather(post.mailer().once(), post.mailer().once()) != [0, 0]
        assert await post.mailer().once() == 0
        assert await post.states() == {"sent": CUSTOMERS}
        by_reader = dict(post.server.mails)
        assert sorted(by_reader) == [f"kund{n}@example.com" for n in range(CUSTOMERS)]
        mail = by_reader["kund0@example.com"]
        names = [part.get_filename() for part in mail.iter_attachments()]
        assert [str(name).partition(".")[2] for name in names] == ["pdf", "xml"]
        assert (mail["From"], mail["Reply-To"]) == (f"Norrladd AB <{FROM}>", "faktura@norrladd.example")
        body = mail.get_body()
        assert body is not None
        assert "https://laddning.example/receipt/" in body.get_content()
        invoice_id, pdf = await post.connection.fetchrow(
            """SELECT d.invoice_id, d.bytes FROM invoice_document AS d JOIN invoice AS i ON i.id = d.invoice_id
            WHERE d.kind = 'pdf' AND i.payer_id = 'p-000000'"""
        )
        [attached] = [
            part.get_content() for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"
        ]
        assert attached == pdf
        sent = await post.connection.fetchval(
            "SELECT body->>'message_id' FROM invoice_event WHERE kind = 'sent' AND invoice_id = $1", invoice_id
        )
        assert sent == mail["Message-ID"]

    on(new_database(), work)


def test_who_has_no_address_gets_it_by_hand_and_a_person_says_so(new_database: Callable[[], Dsn]) -> None:
    async def work(post: Post) -> None:
        await post.connection.execute("UPDATE payer SET on_paper = true WHERE id = 'p-000001'")
        await post.connection.execute("UPDATE payer SET email = NULL WHERE id = 'p-000002'")
        await post.mailer().once()
        assert await post.states() == {"sent": CUSTOMERS - 2, "waiting": 2}
        rows = await post.connection.fetch("SELECT invoice_id FROM delivery WHERE state = 'waiting'")
        for [invoice_id] in rows * 2:
            await given_out(post.connection, post.tenant, invoice_id, 0, post.at, "anna")
        assert await post.states() == {"sent": CUSTOMERS}
        by_hand = [body for _, body in await post.events("sent") if "by_hand" in body]
        assert by_hand == ['{"by_hand": true}'] * 2
        with pytest.raises(Conflict, match="was sent"):
            await send_again(post.connection, post.tenant, invoice_id, 0, post.at, "anna")
        with pytest.raises(NotFound):
            await given_out(post.connection, post.tenant, "no-such", 0, post.at, "anna")
        with pytest.raises(asyncpg.exceptions.RestrictViolationError):
            await post.connection.execute("UPDATE delivery SET state = 'waiting'")

    on(new_database(), work)


def test_what_has_no_address_is_set_aside_and_mailed_once_it_has_one(new_database: Callable[[], Dsn]) -> None:
    """Of thousands that wait for hands each was looked at again for every mail."""

    async def work(post: Post) -> None:
        execute = post.connection.execute
        await execute("UPDATE payer SET email = NULL WHERE id = 'p-000002'")
        await post.mailer().once()
        due = "SELECT count(*) FROM delivery WHERE state = 'waiting' AND due_at <= $1"
        assert (await post.connection.fetchval(due, post.at), await post.states()) == (0, {"sent": 2, "waiting": 1})
        await execute("UPDATE payer SET email = 'ny@example.com' WHERE id = 'p-000002'")
        assert await post.mailer().once() == 0
        await look_again(post.connection, post.tenant, post.at, payer_id="p-000001")
        assert await post.mailer().once() == 0
        await look_again(post.connection, post.tenant, post.at, payer_id="p-000002")
        assert await post.mailer().once() == 1
        assert await post.states() == {"sent": CUSTOMERS}

    on(new_database(), work)


def test_what_is_mailed_at_this_moment_is_not_mailed_again_when_the_address_changes(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(post: Post) -> None:
        for _ in range(CUSTOMERS):
            assert await take(post.connection, post.at) is not None
        for number in range(CUSTOMERS):
            await look_again(post.connection, post.tenant, post.at, payer_id=f"p-00000{number}")
        assert await take(post.connection, post.at) is None

    on(new_database(), work)


def test_an_address_that_fails_is_named_and_sent_to_again_once_it_is_mended(new_database: Callable[[], Dsn]) -> None:
    async def work(post: Post) -> None:
        post.server.refuses["kund1@example.com"] = "550 no such user here"
        await post.mailer().once()
        assert await post.states() == {"sent": CUSTOMERS - 1, "failed": 1}
        row = await post.connection.fetchrow(
            "SELECT invoice_id, address, last_error FROM delivery WHERE state = 'failed'"
        )
        assert (row["address"], row["last_error"]) == ("kund1@example.com", "550 no such user here")
        assert [kind for kind, _ in await post.events("not_sent")] == ["not_sent"]
        post.at += timedelta(days=1)
        assert await post.mailer().once() == 0
        await post.connection.execute("UPDATE payer SET email = 'mended@example.com' WHERE id = 'p-000001'")
        await send_again(post.connection, post.tenant, row["invoice_id"], 0, post.at, "anna")
        assert await post.mailer().once() == 1
        assert post.server.mails[-1][0] == "mended@example.com"
        assert await post.states() == {"sent": CUSTOMERS}

    on(new_database(), work)


def test_what_is_put_off_comes_again_later_and_later_and_not_for_ever(new_database: Callable[[], Dsn]) -> None:
    async def work(post: Post) -> None:
        post.server.refuses["kund1@example.com"] = "451 come again later"
        waits = []
        for _ in range(MAX_TRIES):
            await post.mailer().once()
            due_at = await post.connection.fetchval("SELECT due_at FROM delivery WHERE address = 'kund1@example.com'")
            waits.append(due_at - post.at)
            post.at = max(post.at, due_at)
        assert waits[:3] == [timedelta(minutes=2), timedelta(minutes=4), timedelta(minutes=8)]
        assert await post.states() == {"sent": CUSTOMERS - 1, "failed": 1}

    on(new_database(), work)


def test_a_server_that_is_not_there_costs_no_document_a_try(new_database: Callable[[], Dsn]) -> None:
    async def work(post: Post) -> None:
        gone = Mailer(post.pool, SmtpServer(settings_of(post.server, port=1)), None, lambda: post.at)
        for _ in range(MAX_TRIES + 1):
            with pytest.raises(MailDown, match=r"127\.0\.0\.1:1"):
                await gone.once()
        tries = await post.connection.fetchval("SELECT max(tries) FROM delivery")
        assert (await post.states(), tries) == ({"waiting": CUSTOMERS}, 0)
        await post.mailer().once()
        assert await post.states() == {"sent": CUSTOMERS}

    on(new_database(), work)


def test_a_mail_whose_answer_is_lost_goes_out_again_and_bears_the_same_id(new_database: Callable[[], Dsn]) -> None:
    """What a worker that dies after it handed a mail over leaves: twice at worst, never not at all."""

    async def work(post: Post) -> None:
        post.server.hangs_up_after = 1
        await post.mailer().once()
        assert await post.states() == {"sent": CUSTOMERS - 1, "waiting": 1}
        post.at += timedelta(minutes=2)
        await post.mailer().once()
        assert await post.states() == {"sent": CUSTOMERS}
        ids = [str(mail["Message-ID"]) for _, mail in post.server.mails]
        assert (len(ids), len(set(ids))) == (CUSTOMERS + 1, CUSTOMERS)

    on(new_database(), work)


def test_a_worker_that_dies_with_a_mail_in_its_hands_leaves_it_to_the_next(new_database: Callable[[], Dsn]) -> None:
    async def work(post: Post) -> None:
        class Dies:
            async def send(self, mail: Mail) -> str:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await Mailer(post.pool, Dies(), None, lambda: post.at).once()
        await post.mailer().once()
        assert await post.states() == {"sent": CUSTOMERS - 1, "waiting": 1}
        post.at += timedelta(minutes=5)
        await post.mailer().once()
        assert await post.states() == {"sent": CUSTOMERS}

    on(new_database(), work)


def test_a_reminder_is_mailed_as_one(new_database: Callable[[], Dsn]) -> None:
    async def work(post: Post) -> None:
        await post.mailer().once()
        await post.connection.execute("""UPDATE legal_entity SET late_terms = '{"reminder_days": "5"}'""")
        terms = await terms_of(post.connection, post.tenant)
        post.at = datetime(2027, 1, 31, 9, tzinfo=UTC)
        told = await remind_all(post.connection, post.tenant, terms, post.at.date(), post.at, "anna")
        assert told.count == CUSTOMERS
        await post.rendered()
        post.server.mails.clear()
        await post.mailer().once()
        _, mail = post.server.mails[0]
        assert mail["Subject"].startswith("Påminnelse: faktura ")
        [attached] = [part.get_filename() for part in mail.iter_attachments()]
        assert attached is not None and attached.endswith("-1.pdf")
        of_reminders = [body for _, body in await post.events("sent") if '"reminder": 1' in body]
        assert len(of_reminders) == CUSTOMERS

    on(new_database(), work)


def test_a_reminder_that_says_what_is_no_longer_so_is_not_mailed(new_database: Callable[[], Dsn]) -> None:
    async def work(post: Post) -> None:
        await post.mailer().once()
        await post.connection.execute("""UPDATE legal_entity SET late_terms = '{"reminder_days": "5"}'""")
        post.at = datetime(2026, 12, 20, 9, tzinfo=UTC)
        terms = await terms_of(post.connection, post.tenant)
        told = await remind_all(post.connection, post.tenant, terms, post.at.date(), post.at, "anna")
        disputed, credited, cancelled = (each.invoice_id for each in told.reminders)
        await post.rendered()
        post.server.mails.clear()
        await post.connection.execute(
            "INSERT INTO dispute VALUES ($1, $2, 1, NULL, 'fel', $3, 'customer', '2027-01-09')",
            post.tenant,
            disputed,
            post.at,
        )
        wish = CreditWish(reason="Fel")
        await credit_invoice(post.connection, post.tenant, credited, wish, post.at, "anna", lambda _: ())
        await cancel_reminder(post.connection, post.tenant, cancelled, 1, "kulans", post.at, "anna")
        await post.mailer().once()
        rows = await post.connection.fetch("SELECT invoice_id, state, last_error FROM delivery WHERE reminder = 1")
        assert {row["invoice_id"]: (row["state"], row["last_error"]) for row in rows} == {
            disputed: ("waiting", "disputed"),
            credited: ("dropped", None),
            cancelled: ("dropped", None),
        }
        await post.connection.execute(
            "INSERT INTO dispute_decision VALUES ($1, $2, 1, 'rejected', 'rätt', $3, 'anna')",
            post.tenant,
            disputed,
            post.at,
        )
        post.at += timedelta(days=11)
        await post.mailer().once()
        assert (await post.states())["failed"] == 1, "the day to pay by is over"
        assert post.server.mails == []

    on(new_database(), work)
