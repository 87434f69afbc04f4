"""What does a bill rest on, and is it ours?

`evidence` writes everything that a CDR was made of into one file; `verify` computes the bill from such a file again,
without a database and without us.
"""

import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import asyncpg
import msgspec

from laddbok.flow.changes import FrameRow
from laddbok.flow.charge_to_cash import RULES_VERSION
from laddbok.flow.evidence import EvidenceIncomplete, conclude
from laddbok.flow.evidence_file import MAX_FILE_BYTES, Signature, leaves_of, write
from laddbok.flow.proof import Items, as_proven, items_of, root_of, signed_readings
from laddbok.flow.recheck import Rechecked, recheck
from laddbok.flow.store import SessionEvidence
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.model.money import amount_text
from laddbok.model.proof import SignatureVerdict
from laddbok.settings import Settings
from laddbok.store.database import open_database
from laddbok.store.postgres import PostgresStore
from laddbok.store.proofs import IssuedCdr, StoredKey, issued_cdr, keep_signature, key_of, signing_key, tenant_of
from laddbok.store.sql import query
from laddbok.wires.ocmf import check_reading
from laddbok.wires.signing import holds, key_id, new_key, public_key_of, root_typed, sign

MAX_VERIFY_S = 60
MAX_VERIFY_BYTES = 4 * 1024**3
"""Address space of a `verify`: what a file makes it build is anybody's choice."""


class _TooLong(BaseException):
    """Not an Exception: nothing on the way may take it for an answer."""


async def evidence(
    settings: Settings, session_id: str, path: Path, revision: int | None, as_json: bool
) -> dict[str, Any]:
    """Write the evidence file of a session, of its newest CDR or of a revision; without a CDR, of the session as it is.

    Raises: NotFound; Conflict when the stored evidence does not give the stored root any more; Invalid when the file
    can't be written.
    """
    wanted = normalise_session_id(session_id)
    async with _opened(settings) as (pool, connection):
        tenant = await tenant_of(connection, wanted)
        if tenant is None:
            raise NotFound("session", session_id)
        issued = await issued_cdr(connection, tenant, wanted, revision)
        if issued is None and revision is not None:
            raise NotFound("CDR", f"{wanted}, revision {revision}")
        stored = await PostgresStore(pool).session_evidence(tenant, wanted)
        try:
            items, bearing = _items(stored, issued)
        except EvidenceIncomplete as error:
            raise Conflict(str(error)) from None
        root = root_of(leaves_of(items)).hex()
        if issued is not None and issued.proof is not None and root != issued.proof.root:
            raise Conflict(f"session {wanted}: its stored evidence gives {root}, issued was {issued.proof.root}")
        signature = await _signature(connection, settings, tenant, wanted, root, issued)
    signed = [(reading, check_reading(reading)) for reading in signed_readings(bearing)]
    text = write(items, signed, signature)
    try:
        path.write_bytes(text)
    except OSError as error:
        raise Invalid("-o", str(error)) from None
    told = {
        "session_id": wanted,
        "revision": items.session.get("revision", 1),
        "root": root,
        "file": str(path),
        "bytes": len(text),
        "frames": len(items.frames),
        "decisions": len(items.decisions),
        "signed": _counted([checked.verdict for _, checked in signed]),
        "issued": issued is not None,
        "public_key": msgspec.to_builtins(signature.public_key),
    }
    if not as_json:
        print(f"{path}: session {wanted}, revision {told['revision']}, {told['frames']} frames, {len(text):,} bytes")
        print(f"root {root}")
    return told


async def public_key(settings: Settings, as_json: bool) -> dict[str, Any]:
    """Print each tenant's public key, made now if there is none yet."""
    keys = []
    async with _opened(settings) as (_, connection):
        for row in await connection.fetch(query("all_tenants")):
            key = await signing_key(connection, row["tenant"], settings.clock.now(), _new_key)
            keys.append({"tenant": row["tenant"], "key_id": key.id, "public_key": msgspec.to_builtins(key.public)})
    if not as_json:
        for each in keys:
            print(each["public_key"] if len(keys) == 1 else f"{each['public_key']}  tenant {each['tenant']}")
    return {"keys": keys}


def verify(path: Path, root: str | None, key: str | None, as_json: bool) -> tuple[dict[str, Any], int]:
    """Compute a bill from its evidence file again, and say whether it follows and whether it is ours.

    Args: root: from the receipt. key: the tenant's public key.
    Returns: what was found, and the exit code: 1 when anything differs.
    Raises: Invalid when the file, the root or the key can't be read.
    """
    wanted_root = None if root is None else root_typed(root)
    wanted_key = None if key is None else public_key_of(key)
    found = recheck(_text_of(path), check_reading)
    differences = [(each.what, each.text) for each in found.differences]
    proven = []
    if wanted_root is not None:
        proven.append("root")
        if wanted_root != found.root:
            differences.append(("root", f"this file has the root {found.root}, the receipt has another"))
    if wanted_key is not None:
        proven.append("key")
        differences += _signature_differences(found, wanted_key)
    file = found.file
    told = {
        "ok": not differences,
        "origin": "_and_".join(proven) or "not_proven",
        "session_id": file.session.get("id"),
        "revision": file.session.get("revision", 1),
        "root": found.root,
        "frames": len(file.frames),
        "decisions": len(file.decisions),
        "signature": _signature_state(found),
        "signed": _counted([each.verdict for each in found.signed]),
        "energy_wh": None if file.cdr is None else file.cdr.energy_wh,
        "currency": None if file.rating is None else file.rating.currency,
        "excl_vat": None if file.rating is None else file.rating.excl_vat,
        "incl_vat": None if file.rating is None else file.rating.incl_vat,
        "differences": [{"what": what, "text": text} for what, text in differences],
    }
    if differences and proven:
        told["origin"] = "wrong" if any(what in ("root", "signature") for what, _ in differences) else told["origin"]
    if not as_json:
        _print(told, found)
    return told, 1 if differences else 0


def bounded_verify(path: Path, root: str | None, key: str | None, as_json: bool) -> tuple[dict[str, Any], int]:
    """`verify` in a process of its own that an evil file can neither hold nor fill. Raises: Invalid."""

    def give_up(*_: object) -> NoReturn:
        raise _TooLong

    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    if most == resource.RLIM_INFINITY or most > MAX_VERIFY_BYTES:
        with suppress(ValueError, OSError):  # macOS has no such limit
            resource.setrlimit(resource.RLIMIT_AS, (MAX_VERIFY_BYTES, most))
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(MAX_VERIFY_S)
    try:
        return verify(path, root, key, as_json)
    except _TooLong:
        raise Invalid(str(path), f"takes longer than {MAX_VERIFY_S} s to compute") from None
    except MemoryError:
        raise Invalid(str(path), "takes too much memory to compute") from None
    finally:
        signal.alarm(0)


def _items(stored: SessionEvidence, issued: IssuedCdr | None) -> tuple[Items, tuple[FrameRow, ...]]:
    """What the file is made of, and the frames that it has."""
    if issued is None:
        conclusion = conclude(stored)
        return items_of(stored, conclusion, None, None, RULES_VERSION), conclusion.bearing
    proof = issued.proof
    if proof is None:
        raise Conflict(f"session {stored.session.id}: its CDR was issued before there were proofs")
    if proof.rules != RULES_VERSION:
        raise Conflict(
            f"session {stored.session.id}: its CDR was issued under rules {proof.rules}, not {RULES_VERSION}"
        )
    used = as_proven(stored, proof, issued.revision)
    conclusion = conclude(used)
    return items_of(used, conclusion, issued.cdr, issued.rating, proof.rules), conclusion.bearing


async def _signature(
    connection: asyncpg.Connection,
    settings: Settings,
    tenant: int,
    session_id: str,
    root: str,
    issued: IssuedCdr | None,
) -> Signature:
    """The stored one, else a new one; that of an issued CDR is kept, so that its file is always the same."""
    if issued is not None and issued.signature is not None and issued.key_id is not None:
        key = await key_of(connection, tenant, issued.key_id)
        return Signature(key_id=key.id, public_key=key.public, value=issued.signature)
    key = await signing_key(connection, tenant, settings.clock.now(), _new_key)
    value = sign(key.private, root)
    if issued is not None:
        await keep_signature(connection, tenant, session_id, issued.revision, key.id, value)
    return Signature(key_id=key.id, public_key=key.public, value=value)


def _new_key() -> StoredKey:
    made = new_key()
    return StoredKey(key_id(made.public), made.public, made.private)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[asyncpg.Pool, asyncpg.Connection]]:
    """As the tables' owner: the key is nobody else's."""
    async with open_database(settings.database_url, settings.state_folder, create=False) as database:
        pool = await database.pool(2)
        try:
            async with pool.acquire() as connection:
                yield pool, connection
        finally:
            await pool.close()


def _text_of(path: Path) -> bytes:
    """The file, no more of it than an evidence file may have."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Invalid(str(path), error.strerror or "can't be read") from None


def _signature_differences(found: Rechecked, wanted: bytes) -> list[tuple[str, str]]:
    signature = found.file.signature
    if signature is None:
        return [("signature", "the file has no signature")]
    if signature.public_key != wanted:
        return [("signature", "the file is signed with another key than the one given")]
    if not holds(wanted, signature.value, found.root):
        return [("signature", "the signature is not that of this key under this root")]
    return []


def _signature_state(found: Rechecked) -> str:
    """What the signature is by itself; whose key it is, only `--key` tells."""
    signature = found.file.signature
    if signature is None:
        return "absent"
    return "holds" if holds(signature.public_key, signature.value, found.root) else "does_not_hold"


def _counted(verdicts: list[SignatureVerdict]) -> dict[str, int]:
    return {each.value: verdicts.count(each) for each in SignatureVerdict if each in verdicts}


def _print(told: dict[str, Any], found: Rechecked) -> None:
    file = found.file
    print(f"session {told['session_id']}, revision {told['revision']}: {told['frames']} frames")
    if file.cdr is not None and file.rating is not None:
        amount = file.rating.incl_vat if file.rating.incl_vat is not None else file.rating.excl_vat
        shown = "-" if amount is None else amount_text(amount, file.rating.currency, "en")
        print(f"{file.cdr.energy_wh / 1000:.3f} kWh, {shown}{'' if file.rating.incl_vat is not None else ' + VAT'}")
    else:
        print("no CDR was issued for it")
    for verdict, count in told["signed"].items():
        print(f"signed readings {verdict.replace('_', ' ')}: {count}")
    for each in told["differences"]:
        print(f"  ! {each['text']}")
    if told["signature"] == "does_not_hold":
        print("  ! the signature in the file is not one under this root")
    if told["differences"]:
        print("NOT RIGHT: what is marked above does not follow")
    elif told["origin"] == "not_proven":
        print("arithmetic right, origin not proven: give --root from the receipt, or --key of the operator")
    else:
        by = {"root": "the root is that of the receipt", "key": "the signature is the operator's"}
        print(f"ok: arithmetic right, {' and '.join(by[each] for each in told['origin'].split('_and_'))}")
    print(f"root {told['root']}")
