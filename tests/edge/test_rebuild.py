"""`laddbok rebuild` on the real database, after real charges, a changed table, a learned clock and a person's decision."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from laddbok.flow.changes import Changes, Decision, Job
from laddbok.flow.decide import SETTLE
from laddbok.flow.evidence import VERDICT
from laddbok.model.session import Verdict, VerdictKind
from laddbok.store.postgres import PostgresStore
from laddbok.store.postmaster import running_postmaster
from tests.edge.platform import BOOT, BOOT_201, TARIFF, TOKEN, Platform, fast_clock, finished, platform, until

DEARER = TARIFF | {"id": "dearer", "elements": [{"price_components": [{"type": "ENERGY", "price": 9.99, "vat": 25}]}]}
STATES = ("settled", "review", "void")


@pytest.fixture(scope="module")
def running() -> Iterator[Platform]:
    with platform(LADDBOK_CLOCK=fast_clock().to_text()) as running:
        running.fill()
        running.api.post("/tariffs", json=DEARER).raise_for_status()
        yield running


def charge_16(running: Platform, identity: str, registers: tuple[int, ...], off_s: int = 0) -> None:
    """A 1.6 charge with these registers at start, in readings and at the stop, by a clock that is off."""
    password = running.new_station(identity)

    def stamp() -> str:
        return (running.clock.now() + timedelta(seconds=off_s)).isoformat()

    async def run() -> None:
        async with running.station(identity, password) as station:
            await station.says("BootNotification", BOOT)
            start = {"connectorId": 1, "idTag": TOKEN, "meterStart": registers[0], "timestamp": stamp()}
            number = (await station.says("StartTransaction", start))["transactionId"]
            for register_wh in registers[1:-1]:
                await asyncio.sleep(0.5)
                values = [{"timestamp": stamp(), "sampledValue": [{"value": str(register_wh)}]}]
                reading = {"connectorId": 1, "transactionId": number, "meterValue": values}
                await station.says("MeterValues", reading)
            await asyncio.sleep(0.5)
            stop = {"transactionId": number, "meterStop": registers[-1], "timestamp": stamp(), "reason": "Local"}
            await station.says("StopTransaction", stop)
            status = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": stamp()}
            await station.says("StatusNotification", status)

    asyncio.run(run())
    until(lambda: running.sessions(identity), lambda found: found and found[0]["state"] in STATES)


def charge_201(running: Platform, identity: str) -> None:
    """A 2.0.1 charge of 2,000 Wh."""
    password = running.new_station(identity)

    async def run() -> None:
        async with running.station(identity, password, protocol="ocpp2.0.1") as station:
            station.answers = {"SetVariables": {"setVariableResult": []}}
            await station.says("BootNotification", BOOT_201)
            for number, (kind, wh) in enumerate((("Started", 1_000), ("Updated", 2_000), ("Ended", 3_000))):
                await asyncio.sleep(0.5)
                at = running.now_text()
                sampled = [{"value": wh, "context": {"Started": "Transaction.Begin"}.get(kind, "Transaction.End")}]
                event: dict[str, Any] = {
                    "eventType": kind,
                    "timestamp": at,
                    "triggerReason": "Authorized",
                    "seqNo": number,
                    "transactionInfo": {"transactionId": "a", "chargingState": "Charging"},
                    "meterValue": [{"timestamp": at, "sampledValue": sampled}],
                    "evse": {"id": 1, "connectorId": 1},
                    "idToken": {"idToken": TOKEN, "type": "ISO14443"},
                }
                await station.says("TransactionEvent", event)

    asyncio.run(run())
    until(lambda: running.sessions(identity), lambda found: found and found[0]["state"] in STATES)


def rebuilt(running: Platform, *options: str, exit_code: int = 0, **environ: str) -> dict[str, Any]:
    """What the command says, beside the running platform."""
    result = finished(["rebuild", *options, "--json"], running.folder, **environ)
    assert result.returncode == exit_code, result.stdout + result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def decide(running: Platform, session_id: str, verdict: Verdict) -> None:
    """A person's decision, as evidence, and the work that follows from it."""
    at = running.clock.now()
    body = {"verdict": msgspec.to_builtins(verdict)}
    decision = Decision(tenant=1, session_id=session_id, at=at, kind=VERDICT, body=body, decided_by="anna")
    job = Job(tenant=1, kind=SETTLE, key=session_id, due_at=at)

    async def run() -> None:
        postmaster = running_postmaster(running.folder.resolve() / "database")
        assert postmaster is not None
        folder = str(postmaster.socket_folder)
        async with asyncpg.create_pool(host=folder, user="laddbok", database="laddbok", min_size=1, max_size=1) as pool:
            await PostgresStore(pool).commit(Changes(decisions=[decision], jobs=[job]))

    asyncio.run(run())


def everything(running: Platform) -> list[tuple[Any, ...]]:
    """Sessions and CDRs, byte by byte."""
    rows = running.sql("SELECT id, body::text FROM session ORDER BY id")
    return [tuple(row) for row in rows + running.sql("SELECT session_id, kind, revision FROM cdr ORDER BY 1, 2, 3")]


def test_a_rebuild_finds_no_difference_whatever_changed_since(running: Platform, tmp_path: Path) -> None:
    charge_16(running, "PLAIN", (1_000, 1_500, 3_000))
    charge_16(running, "AHEAD", (1_000, 1_500, 3_000), off_s=3600)
    charge_16(running, "ZERO", (0, 909_948, 910_031))
    charge_201(running, "TWO")
    [plain], [ahead], [zero], [_] = (running.sessions(name) for name in ("PLAIN", "AHEAD", "ZERO", "TWO"))
    assert (plain["state"], ahead["state"], zero["state"]) == ("settled", "settled", "review")
    assert running.sql("SELECT 1 FROM station_traits WHERE body->>'clock_offset_s' = '-3600'")
    assert rebuilt(running, "--check") == {"sessions": 4, "open": 0, "differences": 0, "incomplete": 0, "items": []}

    # A tariff is assigned, a quirk becomes known, and a person corrects what was held.
    running.sql("INSERT INTO tariff_assignment VALUES (1, 'station', 'PLAIN', '2020-01-01T00:00:00Z', 'dearer')")
    quirks = tmp_path / "quirks.toml"
    quirks.write_text('[[quirk]]\nvendor = "Edge"\nflags = ["zero_begin_is_a_placeholder"]\nsource = "a test"\n')
    before = everything(running)
    today = rebuilt(running, "--with-current", LADDBOK_QUIRKS=str(quirks))
    assert everything(running) == before
    listed = {item["session_id"]: {f["field"] for f in item["fields"]} for item in today["items"]}
    assert "session.review_reasons" in listed[zero["id"]] and "rating.lines" in listed[plain["id"]]
    assert rebuilt(running, "--check", LADDBOK_QUIRKS=str(quirks))["differences"] == 0

    decide(running, zero["id"], Verdict(kind=VerdictKind.CORRECT, reason="read at the meter", energy_wh=90))
    until(lambda: running.sessions("ZERO"), lambda found: found[0]["state"] == "settled")
    decide(running, plain["id"], Verdict(kind=VerdictKind.CORRECT, reason="the driver is right", energy_wh=1_500))
    until(lambda: running.sessions("PLAIN"), lambda found: found[0]["energy_wh"] == 1_500)
    assert rebuilt(running, "--check")["differences"] == 0
    assert rebuilt(running, "--check", "--session", plain["id"])["sessions"] == 1


def test_a_rebuild_finds_what_was_changed_by_hand(running: Platform) -> None:
    charge_16(running, "FORGED", (1_000, 1_500, 3_000))
    [session] = running.sessions("FORGED")
    changed = "UPDATE session SET body = jsonb_set(body::jsonb, '{token}', '\"04BAD000\"')::json WHERE id = $1"
    running.sql(changed, session["id"])
    report = rebuilt(running, "--check", "--session", session["id"], exit_code=1)
    assert [f["field"] for f in report["items"][0]["fields"]] == ["session.token"]


def test_a_session_that_is_not_there_is_told(running: Platform) -> None:
    result = finished(["rebuild", "--session", "0000-0000-0000-0000", "--json"], running.folder)
    assert result.returncode != 0 and "Traceback" not in result.stderr
