"""Does the soak's comparison see what is wrong? Each fault is made in a real database that was right before."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from laddbok.fleet.ledger import FleetRecord, TransactionRecord
from laddbok.soak.check import Verdict, check
from laddbok.store.database import Database
from laddbok.store.embedded import Dsn

BEGAN_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
CALL, ANSWER = '[2,"m-1","StopTransaction",{}]', b'[3,"m-1",{}]'
HOUSE = """
INSERT INTO tenant (name, created_at) VALUES ('Laddbok', '2026-01-01Z');
INSERT INTO site (tenant, id, name, time_zone) VALUES (1, 'main', 'Main', 'Europe/Stockholm');
INSERT INTO station (tenant, identity, site_id, admitted_at) VALUES (1, 'LB-0001', 'main', '2026-01-01Z');
INSERT INTO frame VALUES ('2026-03-02T12:10Z', 1, 1, 1, 1, 'i', '6', 'm-1', 'StopTransaction', $frame$%s$frame$, $frame$%s$frame$);
"""
SESSION = """
INSERT INTO session (tenant, id, origin, station_no, station, transaction_id, state, version, started_at, body)
VALUES (1, '{id}', 'station', 1, 'LB-0001', '{transaction}', 'settled', 1, '2026-03-02T12:00Z', '{{}}');
"""
CDR = """
INSERT INTO cdr VALUES (1, '{id}', {revision}, '{kind}', '2026-03-02T12:20Z', {wh}, 'SEK', 1, 1, 't', 1, '{{}}', '{{}}');
"""


def cdr(session_id: str = "A", revision: int = 1, kind: str = "cdr", wh: int = 500) -> str:
    return CDR.format(id=session_id, revision=revision, kind=kind, wh=wh)


RIGHT = HOUSE % (CALL, ANSWER.decode()) + SESSION.format(id="A", transaction="7") + cdr()


def record() -> FleetRecord:
    """What the fleet knows: one transaction of 500 Wh, and the answer to its stop."""
    one = TransactionRecord(
        key="LB-0001/1", station="LB-0001", evse_id=1, connector_id=1, id_token="04A1", start_register_wh=1_000,
        started_at=BEGAN_AT, transaction_id="7", end_register_wh=1_500, acknowledged=True,
    )  # fmt: skip
    fleet = FleetRecord(transactions=[one], answers=[])
    fleet.answer("LB-0001", "m-1", "StopTransaction", one.key, CALL, ANSWER)
    return fleet


@pytest.fixture
def judged(new_database: Callable[[], Dsn]) -> Callable[[str, FleetRecord], Verdict]:
    """Runs the statements in a database of its own; the verdict on it."""

    async def judge(dsn: Dsn, statements: str, fleet: FleetRecord) -> Verdict:
        connection = await asyncpg.connect(**dsn)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()
        url = f"postgresql:///{dsn['database']}?host={dsn['host']}&port={dsn['port']}&user={dsn['user']}"
        return await check(Database(url, None), fleet, BEGAN_AT - timedelta(hours=1))

    return lambda statements, fleet: asyncio.run(judge(new_database(), statements, fleet))


Judged = Callable[[str, FleetRecord], Verdict]


def test_nothing_is_found_where_nothing_is_wrong(judged: Judged) -> None:
    verdict = judged(RIGHT, record())
    assert verdict.is_right and verdict.findings == []
    assert (verdict.acknowledged, verdict.sessions, verdict.metered_wh) == (1, 1, 500)


@pytest.mark.parametrize(
    ("fault", "figures", "what"),
    [
        ("DELETE FROM frame;", (1, 0, 0), "answered, but not in the evidence"),
        ('UPDATE frame SET answer = \'[3,"m-1",{"idTagInfo":1}]\';', (1, 0, 0), "stored with other words"),
        ("UPDATE frame SET direction = 'o';", (1, 0, 0), "answered, but not in the evidence"),
        ("UPDATE session SET transaction_id = '8';", (1, 1, 1_000), "no session"),
        ("UPDATE session SET state = 'void';", (1, 0, 500), "no session"),
        (SESSION.format(id="B", transaction="7"), (0, 1, 0), "one session too many"),
        (SESSION.format(id="B", transaction="8") + cdr("B", wh=3), (0, 1, 3), "one session too many"),
        (cdr(revision=2), (0, 1, 0), "priced twice"),
        ("UPDATE session SET revision = 2;", (0, 0, 500), "energy"),
        ("UPDATE session SET revision = 2;" + cdr(revision=2, wh=499), (0, 1, 1), "priced twice"),
    ],
)
def test_a_fault_is_found_and_named(judged: Judged, fault: str, figures: tuple[int, int, int], what: str) -> None:
    verdict = judged(RIGHT + fault, record())
    assert (verdict.lost, verdict.double, verdict.energy_difference_wh) == figures
    assert not verdict.is_right and verdict.findings[0].what == what, verdict.findings
    assert verdict.findings[0].station == "LB-0001"
    assert (verdict.findings[0].session_id is None) == (what == "no session")


def test_a_corrected_session_is_not_priced_twice(judged: Judged) -> None:
    corrected = "UPDATE session SET revision = 2;" + cdr(kind="credit") + cdr(revision=2)
    assert judged(RIGHT + corrected, record()).is_right


def test_a_job_that_failed_and_a_stop_that_was_never_answered_are_found(judged: Judged) -> None:
    failed = (
        "INSERT INTO job (tenant, kind, key, due_at, last_error) VALUES (1, 'settle', 'A', '2026-03-02Z', 'it broke');"
    )
    fleet = record()
    fleet.transactions[0].acknowledged = False
    verdict = judged(RIGHT + failed, fleet)
    assert (verdict.jobs_failed, verdict.unanswered, verdict.is_right) == (1, 1, False)
    assert [each.what for each in verdict.findings] == ["never answered", "job failed"]
