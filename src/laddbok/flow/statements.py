"""How does a month become a statement that is frozen, and what does the next revision say?

    sessions with their CDRs -> counted sessions -> shares or refund -> content --frozen--> revision 1, 2 ...

A revision is never changed: what was corrected since stands in the next one, which names each difference. Its hash covers the
revision before, so none can be taken out or altered. The same month drawn again with nothing changed is the same revision.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from laddbok.model.cdr import Cdr
from laddbok.model.invoice import Seller
from laddbok.model.statement import ApartmentList, Change, CountedSession, Head, HomeStatement, Statement, StatementKind

_encoder = msgspec.json.Encoder(order="deterministic")
_SHAPES = {StatementKind.APARTMENTS: ApartmentList, StatementKind.HOME: HomeStatement}
_StatementT = TypeVar("_StatementT", ApartmentList, HomeStatement)


class StatedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session of the month; `cdr` None: none stands, it waits for a price or a person. `token` is normalised."""

    session_id: str
    revision: int
    contract_id: str | None
    token: str | None
    cdr: Cdr | None
    ended_at: datetime
    begin_wh: int | None = None
    end_wh: int | None = None


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What both kinds are drawn on. `terms_version` is that of what was agreed; `today` is a day of the place."""

    seller: Seller
    to: tuple[str, ...]
    subject_id: str
    name: str
    month: str
    first_day: date
    last_day: date
    today: date
    time_zone: str
    currency: str
    terms_version: int
    sessions: tuple[StatedSession, ...]

    def head(self, revision: int, language: str) -> Head:
        """The head of a revision."""
        return Head(
            seller=self.seller, to=self.to, subject_id=self.subject_id, name=self.name, month=self.month, revision=revision,
            period_start=self.first_day, period_end=self.last_day, issue_date=self.today, time_zone=self.time_zone,
            currency=self.currency, language=language,
        )  # fmt: skip

    @property
    def waiting(self) -> tuple[str, ...]:
        """Sessions without a CDR that stands."""
        return tuple(each.session_id for each in self.sessions if each.cdr is None)


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """A revision as it is kept. `content` is what the hash covers."""

    statement: Statement
    content: bytes
    previous_hash: bytes | None
    hash: bytes


def month_span(first_day: date, last_day: date, time_zone: str) -> tuple[datetime, datetime]:
    """From the month's first instant to the first one after it, by the clock of the place (case B11)."""
    zone = ZoneInfo(time_zone)
    next_day = last_day + timedelta(days=1)
    return datetime(first_day.year, first_day.month, 1, tzinfo=zone), datetime(
        next_day.year, next_day.month, 1, tzinfo=zone
    )


def counted(
    ground: Ground, whose: Callable[[StatedSession, Cdr], str | None] = lambda *_: None
) -> tuple[CountedSession, ...]:
    """The sessions that have a CDR that stands, with that CDR's energy. Args: whose, the apartment of a session."""
    return tuple(
        CountedSession(
            session_id=each.session_id, revision=each.revision, started_at=each.cdr.started_at, ended_at=each.ended_at,
            energy_wh=each.cdr.energy_wh, apartment=whose(each, each.cdr),
        )
        for each in ground.sessions
        if each.cdr is not None
    )  # fmt: skip


def differences(
    before: Mapping[str, tuple[int, Decimal | None]], after: Mapping[str, tuple[int, Decimal | None]], field: str
) -> Iterable[Change]:
    """What differs. Args: each name with its energy [Wh] and amount; field, of Change, in which the name stands."""
    nothing = (None, None)
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name, nothing), after.get(name, nothing)
        if old != new:
            yield Change(**{field: name or None}, before_wh=old[0], after_wh=new[0], before=old[1], after=new[1])


def as_before(before: _StatementT | None, drawn: _StatementT) -> bool:
    """Whether a revision says what the one before it says, but for its date and its number."""
    if before is None:
        return False
    head = msgspec.structs.replace(drawn.head, revision=before.head.revision, issue_date=before.head.issue_date)
    return (
        msgspec.structs.replace(drawn, head=head, changes=before.changes, terms_version=before.terms_version) == before
    )


def freeze(statement: Statement, previous_hash: bytes | None) -> Frozen:
    """The revision as it is kept. Source: our choice, docs/rules.md "Apartment lists"."""
    content = _encoder.encode(statement)
    hashed = sha256((previous_hash or b"") + content).digest()
    return Frozen(statement=statement, content=content, previous_hash=previous_hash, hash=hashed)


def thawed(kind: StatementKind, content: bytes) -> Statement:
    """The statement that was frozen."""
    found: Statement = msgspec.json.decode(content, type=_SHAPES[kind])
    return found
