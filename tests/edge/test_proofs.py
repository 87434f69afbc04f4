"""Does a bill's evidence come out of the real database, and is it checked without it?"""

import asyncio
import json
import subprocess
from base64 import b64decode
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import asyncpg
import pytest
from msgspec.structs import replace

from laddbok.flow.apply import Desk
from laddbok.flow.charge_to_cash import price, settle
from laddbok.flow.evidence import conclude
from laddbok.flow.evidence_file import evidence_in, read, write
from laddbok.flow.messages import Received
from laddbok.flow.proof import canonical, items_of, signed_readings
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.ocpp import decode
from laddbok.ocpp.frame import Call, OcppVersion, encode_call, parse
from laddbok.sessions.close import cdr
from laddbok.settings import Settings
from laddbok.store.embedded import Dsn
from laddbok.store.postgres import PostgresStore
from laddbok.verbs import proofs, reports
from laddbok.wires.ocmf import check_reading
from tests.edge.platform import LADDBOK
from tests.store.stores import PostgresKeeps, tariff_document

T = TypeVar("T")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TENANT = 1
SIGNED = 'OCMF|{"RD":[{"TX":"E","RV":5,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}]}|{"SD":"00"}'


class Charge(NamedTuple):
    """A settled session on a real database, and what is typed about it."""

    settings: Settings
    session_id: str
    folder: Path
    dsn: Dsn

    def evidence(self, name: str = "evidence.json", revision: int | None = None) -> tuple[Path, dict[str, Any]]:
        path = self.folder / name
        told = asyncio.run(proofs.evidence(self.settings, self.session_id, path, revision, True))
        return path, told

    def sql(self, statement: str, *values: Any) -> list[Any]:
        async def run() -> list[Any]:
            connection = await asyncpg.connect(**self.dsn)
            try:
                rows: list[Any] = await connection.fetch(statement, *values)
            finally:
                await connection.close()
            return rows

        return asyncio.run(run())


@pytest.fixture(scope="module")
def charge(fresh_database: Dsn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Charge]:
    folder = tmp_path_factory.mktemp("proofs")
    session_id = asyncio.run(_charged(fresh_database))
    host, user, database = fresh_database["host"], fresh_database["user"], fresh_database["database"]
    url = f"postgresql://{user}@/{database}?host={host}&port={fresh_database['port']}"
    yield Charge(Settings(state_folder=folder, database_url=url), session_id, folder, fresh_database)


async def _charged(dsn: Dsn) -> str:
    """Two drivers at one station; the first is settled, then the platform goes on."""
    pool = await asyncpg.create_pool(**dsn, min_size=1, max_size=2)
    try:
        await _set_up(pool)
        store = PostgresStore(pool)
        desk = Desk(store)
        [claim] = (await store.claim([1], "gateway", NOON)).values()
        desk.take_over(claim, "1.6")
        says = _Station(desk, claim.epoch).says
        await says("StartTransaction", connectorId=1, idTag="04A1", meterStart=1000)
        await says("StartTransaction", connectorId=2, idTag="SOMEBODYELSE", meterStart=0)
        await says("MeterValues", connectorId=1, transactionId=1, meterValue=[_value("3000")])
        await says("MeterValues", connectorId=2, transactionId=2, meterValue=[_value("7777")])
        signed = {"timestamp": "2026-03-02T12:50:00Z", "sampledValue": [{"value": SIGNED, "format": "SignedData"}]}
        await says("StopTransaction", transactionId=1, meterStop=5000, transactionData=[signed])
        session_id: str = await pool.fetchval("SELECT id FROM session WHERE token = '04A1'")
        changes = settle(await store.session_evidence(TENANT, session_id), NOON + timedelta(days=1)).changes
        assert changes is not None and len(changes.cdrs) == 1
        await store.commit(changes)
        await says("StatusNotification", connectorId=1, status="Available", errorCode="NoError")
    finally:
        await pool.close()
    return session_id


async def _set_up(pool: asyncpg.Pool) -> None:
    await pool.execute("INSERT INTO tenant (name, created_at) VALUES ('ours', $1)", NOON)
    await pool.execute("INSERT INTO site (tenant, id, name, time_zone) VALUES (1, 'yard', 'Yard', 'Europe/Stockholm')")
    await pool.execute(
        "INSERT INTO station (tenant, identity, site_id, protocol, admitted_at) VALUES (1, 'CP-1', 'yard', '1.6', $1)",
        NOON,
    )
    kept: list[Coroutine[Any, Any, Any]] = []
    keeps = PostgresKeeps(lambda statement, *values: kept.append(pool.execute(statement, *values)))
    keeps.add_evse(1, 1, 22_000)
    for token in ("04A1", "SOMEBODYELSE"):
        keeps.add_token(TENANT, token)
    keeps.add_tariff(TENANT, tariff_document("T", "3.20"))
    keeps.assign_tariff(TENANT, "default", "", "T")
    for each in kept:
        await each


def _value(register: str) -> dict[str, Any]:
    return {"timestamp": "2026-03-02T12:30:00Z", "sampledValue": [{"value": register}]}


class _Station:
    def __init__(self, desk: Desk, epoch: int) -> None:
        self.desk, self.epoch, self.now = desk, epoch, NOON

    async def says(self, action: str, **payload: Any) -> None:
        self.now += timedelta(minutes=10)
        if action.endswith("Transaction"):
            payload["timestamp"] = self.now.isoformat()
        raw = encode_call(f"m{self.now.minute}", action, json.dumps(payload).encode())
        call = parse(raw, OcppVersion.V16)
        assert isinstance(call, Call)
        event = decode(call, OcppVersion.V16)
        entry = Received(
            station_no=1, epoch=self.epoch, received_at=self.now, version=OcppVersion.V16, call=call, raw=raw, event=event
        )  # fmt: skip
        [reply] = await self.desk.apply([entry])
        assert not reply.error, reply


def verified(path: Path, root: str | None = None, key: str | None = None) -> tuple[int, dict[str, Any]]:
    told, code = proofs.verify(path, root, key, True)
    return code, json.loads(json.dumps(told, default=str))


def typed(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """`laddbok verify`, with neither a database nor settings."""
    command = [*LADDBOK, "verify", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={"PATH": "/nonexistent"}
    )


def with_another_reading(path: Path, old: str, new: str) -> Path:
    """The file of somebody who changed a reading and computed everything anew; only the signature is as it was."""
    file, _ = read(path.read_bytes())
    evidence = evidence_in(file)
    frames = tuple(replace(frame, raw=frame.raw.replace(old.encode(), new.encode())) for frame in evidence.frames)
    assert frames != evidence.frames
    evidence = replace(evidence, frames=frames)
    conclusion = conclude(evidence)
    document, tariff = cdr(conclusion.session), evidence.tariff_of(conclusion.session)
    assert tariff is not None
    items = items_of(evidence, conclusion, document, price(document, tariff), file.head.rules)
    readings = [(each, check_reading(each)) for each in signed_readings(frames)]
    other = path.with_name("forged.json")
    other.write_bytes(write(items, readings, file.signature))
    return other


def test_the_file_has_the_root_that_was_stored_with_the_cdr(charge: Charge) -> None:
    path, told = charge.evidence()
    [row] = charge.sql("SELECT encode(root, 'hex') AS root, frame_count, decision_count, rules FROM proof")
    assert (told["root"], told["frames"], told["decisions"]) == (row["root"], row["frame_count"], row["decision_count"])
    assert told["frames"] == 3
    code, found = verified(path)
    assert (code, found["ok"], found["origin"], found["signature"]) == (0, True, "not_proven", "holds")
    assert (found["energy_wh"], found["currency"], found["excl_vat"]) == (4000, "SEK", "12.80")
    assert found["signed"] == {"not_verifiable": 1}


def test_nobody_else_is_in_it(charge: Charge) -> None:
    path, _ = charge.evidence()
    text = path.read_text() + "".join(
        b64decode(frame[name] or "").decode() for frame in json.loads(path.read_text())["frames"] for name in ("raw", "answer")
    )  # fmt: skip
    assert "SOMEBODYELSE" not in text and "7777" not in text
    assert "04A1" in text and "3000" in text


def test_the_same_evidence_gives_the_same_bytes(charge: Charge) -> None:
    one, _ = charge.evidence("one.json")
    other, _ = charge.evidence("other.json")
    assert one.read_bytes() == other.read_bytes()


def test_the_root_and_the_key_prove_the_origin(charge: Charge) -> None:
    path, told = charge.evidence()
    [key] = asyncio.run(proofs.public_key(charge.settings, True))["keys"]
    assert key["public_key"] == told["public_key"]
    assert verified(path, told["root"])[1]["origin"] == "root"
    typed_off = " ".join(told["root"][n : n + 8] for n in range(0, 64, 8)).upper()
    code, found = verified(path, typed_off, key["public_key"])
    assert (code, found["origin"]) == (0, "root_and_key")
    code, found = verified(path, "00" * 32)
    assert (code, found["ok"], found["origin"]) == (1, False, "wrong")
    code, found = verified(path, None, "11" * 32)
    assert (code, found["origin"], found["differences"][0]["what"]) == (1, "wrong", "signature")


def test_without_a_database_it_is_told_in_words(charge: Charge) -> None:
    path, told = charge.evidence()
    done = typed(str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "4.000 kWh, 16.00 kr" in done.stdout
    assert "arithmetic right, origin not proven" in done.stdout
    done = typed(str(path), "--root", told["root"])
    assert done.returncode == 0 and "ok: arithmetic right, the root is that of the receipt" in done.stdout
    plain = json.loads(path.read_text())
    plain["rating"]["lines"][0]["excl_vat"] = "12.81"
    other = path.with_name("dear.json")
    other.write_bytes(canonical(plain) + b"\n")
    done = typed(str(other))
    assert done.returncode == 1
    assert "! the price, line 1 (energy): excl_vat says 12.81, it comes to 12.80" in done.stdout
    assert "NOT RIGHT" in done.stdout
    assert json.loads(typed(str(other), "--json").stdout)["differences"][0]["what"] == "rating"


def test_a_reading_changed_with_everything_that_follows_fails_root_and_key(charge: Charge) -> None:
    path, told = charge.evidence()
    other = with_another_reading(path, "5000", "4000")
    code, found = verified(other)
    assert (code, found["ok"], found["origin"], found["signature"]) == (0, True, "not_proven", "does_not_hold")
    assert found["energy_wh"] == 3000
    assert verified(other, told["root"])[0] == 1
    assert verified(other, None, told["public_key"])[0] == 1


@pytest.mark.parametrize(
    ("content", "arguments", "why"),
    [
        (b"", [], "can't be read"),
        (b"\x00\xff" * 1000, [], "can't be read"),
        (b"[" * 1_000_000, [], "can't be read"),
        (None, [], "No such file"),
        (b"{}", ["--root", "12"], "64 hex digits"),
        (b"{}", ["--key", "?"], "Ed25519"),
    ],
)
def test_what_can_not_be_read_is_one_clear_line(
    tmp_path: Path, content: bytes | None, arguments: list[str], why: str
) -> None:
    path = tmp_path / "evidence.json"
    if content is not None:
        path.write_bytes(content)
    done = typed(str(path), *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert why in done.stderr and done.stderr.count("\n") == 1


def test_a_session_is_shown_with_its_root_and_signed_readings(
    charge: Charge, capsys: pytest.CaptureFixture[str]
) -> None:
    _, told = charge.evidence()
    shown = asyncio.run(reports.session(charge.settings, charge.session_id, "en", False))
    assert shown["root"] == told["root"]
    assert [(each["verdict"], each["register_wh"], each["text"]) for each in shown["signed_values"]] == [
        ("not_verifiable", 5000, SIGNED)
    ]
    read_out = charge.session_id.replace("-", "")[:8].lower()
    assert asyncio.run(reports.session(charge.settings, read_out, "en", True))["id"] == charge.session_id
    printed = capsys.readouterr().out
    assert f"root {told['root']}" in printed
    assert "signed by the meter, 5.000 kWh: can't be verified" in printed


def test_a_demo_whose_clock_runs_ahead_of_ours_is_shown_as_of_its_last_frame(charge: Charge) -> None:
    """Else the quarter hours after our own now had no market price in the terminal, and had one in the console."""
    ahead = datetime(2099, 1, 1, tzinfo=UTC)
    [row] = charge.sql("SELECT id, last_frame_at FROM session, station WHERE token = 'SOMEBODYELSE'")
    charge.sql("UPDATE station SET last_frame_at = $1", ahead)
    shown = asyncio.run(reports.session(charge.settings, row["id"], "en", True))
    charge.sql("UPDATE station SET last_frame_at = $1", row["last_frame_at"])
    assert shown["price"]["as_of"] == ahead.isoformat().replace("+00:00", "Z")
    before = asyncio.run(reports.session(charge.settings, row["id"], "en", True))
    assert before["price"]["as_of"] < shown["price"]["as_of"]


def test_a_key_is_made_once_and_its_private_part_is_for_nobody(charge: Charge) -> None:
    charge.evidence()
    [row] = charge.sql("SELECT length(private_key) AS length FROM signing_key")
    assert row["length"] == 32
    charge.sql("SELECT public_key FROM signing_key")
    for column, allowed in (("public_key", True), ("private_key", False), ("*", False)):
        asked = f"SELECT {column} FROM signing_key"
        if allowed:
            assert _asked(charge.dsn, asked)
        else:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                _asked(charge.dsn, asked)


def _asked(dsn: Dsn, statement: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(**dsn)
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL ROLE laddbok_api")
                await connection.execute("SELECT set_config('laddbok.tenant', '1', true)")
                rows: list[Any] = await connection.fetch(statement)
        finally:
            await connection.close()
        return rows

    return asyncio.run(run())


def test_a_proof_is_never_changed_only_signed(charge: Charge) -> None:
    charge.evidence()
    for statement in ("UPDATE proof SET root = 'x'", "DELETE FROM proof", "UPDATE proof SET signature = NULL"):
        with pytest.raises(asyncpg.RestrictViolationError):
            charge.sql(statement)


def test_what_is_not_there_is_told(charge: Charge, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="revision 7"):
        charge.evidence(revision=7)
    with pytest.raises(NotFound):
        asyncio.run(proofs.evidence(charge.settings, "NOSUCHSESSION", tmp_path / "x", None, True))
    with pytest.raises(Invalid, match="-o"):
        asyncio.run(proofs.evidence(charge.settings, charge.session_id, tmp_path / "no" / "x", None, True))


def test_evidence_that_was_changed_in_the_database_is_no_evidence(charge: Charge) -> None:
    charge.sql("UPDATE decision SET decided_by = 'anna' WHERE number = 1")
    try:
        with pytest.raises(Conflict, match="its stored evidence gives"):
            charge.evidence()
    finally:
        charge.sql("UPDATE decision SET decided_by = 'laddbok' WHERE number = 1")


def test_a_running_session_has_a_file_without_a_bill(charge: Charge, tmp_path: Path) -> None:
    [row] = charge.sql("SELECT id FROM session WHERE token = 'SOMEBODYELSE'")
    told = asyncio.run(proofs.evidence(charge.settings, row["id"], tmp_path / "x.json", None, True))
    assert not told["issued"]
    code, found = verified(tmp_path / "x.json")
    assert (code, found["ok"], found["energy_wh"]) == (0, True, None)
