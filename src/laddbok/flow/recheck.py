"""Does a bill follow from its evidence?

`recheck` takes an evidence file and does everything again: the hashes, the session from its frames and decisions, the
CDR from the session, the price from CDR and tariff. Each step starts from what the file says, so what differs is named
where it differs: a changed reading is found at its frame, a changed price at its line. Whether the file is ours is
another question, answered by the root on the receipt or by the signature.
"""

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import msgspec

from laddbok.flow.charge_to_cash import price
from laddbok.flow.evidence import conclude
from laddbok.flow.evidence_file import EvidenceFile, evidence_in, items_in, leaves_of, read
from laddbok.flow.market_prices import recorded_prices
from laddbok.flow.proof import canonical, items_of, root_of, signed_readings
from laddbok.flow.proof import plain as as_plain
from laddbok.model.proof import Checked, SignedReading
from laddbok.sessions.close import cdr

MAX_DIFFERENCES = 20
"""Told of each step; more of them say nothing new."""
MAX_SHOWN = 80
MAX_LINE = 400

Check = Callable[[SignedReading], Checked]
"""Verifies the signature under a signed reading."""
_ABSENT = "nothing"


class Difference(msgspec.Struct, frozen=True):
    """Something that does not follow. `what`: form, frame, session, decision, tariff, cdr, rating, leaves, root, signed."""

    what: str
    text: str


def difference(what: str, text: str) -> Difference:
    """One line for a terminal, however odd the file: no control character, no line without end."""
    return Difference(what, "".join(c if c.isprintable() else "?" for c in text[:MAX_LINE]))


class Rechecked(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says, and what does not follow in it. `root` is the one computed from its items."""

    file: EvidenceFile
    root: str
    signed: tuple[Checked, ...]
    differences: tuple[Difference, ...]


def recheck(text: bytes, check: Check) -> Rechecked:
    """Compute everything in an evidence file again.

    Args: check: what verifies signed readings; it is not called for more of them than a file may have.
    Raises: Invalid when it is no evidence file that can be read.
    Source: our choice, docs/rules.md "Proof".
    """
    file, plain = read(text)
    differences = list(_hashes(file, plain))
    signed: tuple[Checked, ...] = ()
    if canonical(plain) + b"\n" != text:
        differences.insert(
            0, difference("form", "the file was written anew by another program, or says something twice")
        )
    for step in (_computation, _price):
        # The file is anybody's: whatever it makes our own functions raise is one more thing that does not follow.
        try:
            differences += step(file, plain)
        except Exception as error:
            differences.append(difference("session", f"nothing can be computed from it: {_short(error)}"))
    try:
        signed, told = _signed(file, check)
        differences += told
    except Exception as error:
        differences.append(difference("signed", f"the signed readings can't be found again: {_short(error)}"))
    return Rechecked(
        file=file,
        root=root_of(leaves_of(items_in(plain))).hex(),
        signed=signed,
        differences=tuple(differences),
    )


def _hashes(file: EvidenceFile, plain: dict[str, Any]) -> Iterator[Difference]:
    """Each item against its leaf, and all of them against the root."""
    items = items_in(plain)
    kinds = list(items.in_order())
    leaves = leaves_of(items)
    if len(leaves) != len(file.leaves):
        text = f"there are {len(leaves)} items and {len(file.leaves)} leaf hashes: something was taken out or put in"
        yield difference("leaves", text)
    else:
        for (kind, item), found, told in zip(kinds, leaves, file.leaves, strict=True):
            if found.hex() != told:
                yield difference(kind, f"{_name(kind, item)} is not what was hashed: it was changed afterwards")
    if root_of(leaves).hex() != file.root:
        yield difference("root", f"the root is {root_of(leaves).hex()}, the file says {file.root[:MAX_SHOWN]}")


def _computation(file: EvidenceFile, plain: dict[str, Any]) -> list[Difference]:
    """The session from its frames and decisions, and the CDR from the session."""
    evidence = evidence_in(file)
    conclusion = conclude(evidence)
    document = None if file.cdr is None else cdr(conclusion.session)
    again = items_of(evidence, conclusion, document, None, file.head.rules)
    differences = list(_frames(plain["frames"], again.frames))
    differences += _compared("session", "the session", plain["session"], again.session)
    if file.tariff is not None:
        differences += _compared("tariff", "the tariff", plain["tariff"], again.tariff)
    if file.cdr is not None:
        differences += _compared("cdr", "the CDR", plain["cdr"], again.cdr)
    return differences


def _frames(told: list[Any], found: tuple[dict[str, Any], ...]) -> Iterator[Difference]:
    places = {(each["epoch"], each["seq"]) for each in found}
    strange = [each for each in told if (each["epoch"], each["seq"]) not in places]
    for each in strange[:MAX_DIFFERENCES]:
        yield difference("frame", f"{_name('frame', each)} has nothing to do with this session")
    if not strange and canonical(told) != canonical(found):
        yield difference("frame", "the frames are not in the order of their places, or tell more than they should")


def _price(file: EvidenceFile, plain: dict[str, Any]) -> list[Difference]:
    """The price from the CDR, the tariff and the market's prices as they stand in the file."""
    if file.cdr is None or file.rating is None:
        same = file.cdr is None and file.rating is None
        return [] if same else [difference("rating", "there is a CDR without a price, or a price without a CDR")]
    evidence = evidence_in(file)
    tariff = next(iter(evidence.tariffs.values()), None)
    if tariff is None:
        return [difference("tariff", "there is a price and no tariff")]
    again = as_plain(price(file.cdr, tariff, recorded_prices(evidence.decisions)))
    return list(_compared("rating", "the price", plain["rating"], again))


def _signed(file: EvidenceFile, check: Check) -> tuple[tuple[Checked, ...], list[Difference]]:
    """The signed readings that are in the frames, each verified again."""
    found = signed_readings(evidence_in(file).frames)
    told = [each.reading for each in file.signed]
    if found != told:
        return (), [difference("signed", "the signed readings are not those in the frames")]
    verdicts = tuple(check(each.reading) for each in file.signed)
    differences = [
        difference("signed", f"signed reading {n + 1}: the file says {item.verdict.value}, it is {verdict.verdict.value}")
        for n, (item, verdict) in enumerate(zip(file.signed, verdicts, strict=True))
        if item.verdict is not verdict.verdict
    ]  # fmt: skip
    return verdicts, differences


def _compared(what: str, name: str, told: Any, found: Any) -> Iterator[Difference]:
    for number, (path, says, is_now) in enumerate(_unequal(told, found, ())):
        if number == MAX_DIFFERENCES:
            return
        where = _where(name, path, told)
        yield difference(what, f"{where} says {_shown(says)}, it comes to {_shown(is_now)}")


def _unequal(told: Any, found: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """(path, what is told, what is found) of each plain value that differs."""
    if isinstance(told, dict) and isinstance(found, dict):
        for key in sorted(told.keys() | found.keys()):
            yield from _unequal(told.get(key, _ABSENT), found.get(key, _ABSENT), (*path, key))
    elif isinstance(told, list | tuple) and isinstance(found, list | tuple):
        for number, (one, other) in enumerate(zip_longest(told, found, fillvalue=_ABSENT)):
            yield from _unequal(one, other, (*path, number))
    elif told != found or type(told) is not type(found):
        yield path, told, found


_SINGLE = {"lines": "line", "periods": "charging period", "findings": "finding", "elements": "element"}


def _where(name: str, path: tuple[Any, ...], told: Any) -> str:
    """ "the price, line 2 (energy): excl_vat" for ("lines", 1, "excl_vat")."""
    if len(path) >= 2 and path[0] in _SINGLE and isinstance(path[1], int):
        listed = told[path[0]]
        item = listed[path[1]] if path[1] < len(listed) else {}
        kind = f" ({item['kind']})" if isinstance(item, dict) and isinstance(item.get("kind"), str) else ""
        place = f"{_SINGLE[path[0]]} {path[1] + 1}{kind[:MAX_SHOWN]}"
        rest = ".".join(map(str, path[2:]))
        return f"{name}, {place}: {rest}" if rest else f"{name}, {place}"
    return f"{name}: {'.'.join(map(str, path))}" if path else name


def _name(kind: str, item: Any) -> str:
    if kind == "frame":
        return f"the frame of {item['received_at']}, {item['action']} (epoch {item['epoch']}, number {item['seq']}),"
    if kind == "decision":
        return f"the decision of {item['at']}, {item['kind']},"
    if kind == "tariff":
        return f"the tariff {item['choice']['tariff_id']}, version {item['choice']['version']},"
    return {"head": "the head", "session": "the session", "cdr": "the CDR", "rating": "the price"}[kind]


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _short(error: Exception) -> str:
    if isinstance(error, AssertionError):
        return "its parts contradict each other"
    return f"{type(error).__name__}: {error}"[:200]
