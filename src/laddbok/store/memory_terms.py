"""Under which terms does somebody charge, when there is no database to ask?

The tables that people keep, as dicts with dates: id tokens, contracts, tariffs with their versions, sellers, and what an
EVSE can give. `facts` answers from them what PostgreSQL answers from its own in one query.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from msgspec.structs import replace

from laddbok.flow.store import Question
from laddbok.model.events import AuthorizationStatus
from laddbok.model.session import TariffChoice
from laddbok.model.station import Station
from laddbok.model.superset import IdleUntil
from laddbok.model.tariff import Tariff, parse_tariff
from laddbok.sessions.authorize import TokenFacts, normalise_token
from laddbok.sessions.facts import StartFacts

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


class Dated(NamedTuple):
    """What holds from one instant to another (None: without end)."""

    valid_from: datetime
    valid_to: datetime | None
    value: str


class Terms:
    """What people keep about drivers, prices and places."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[int, str], TokenFacts] = {}
        self._aliases: dict[tuple[int, str], str] = {}
        self._dated: dict[tuple[int, str, str, str], list[Dated]] = {}
        self._tariffs: dict[tuple[int, str], list[tuple[datetime, Tariff]]] = {}
        self._documents: dict[tuple[int, str], list[str]] = {}
        self._max_power_w: dict[tuple[int, int], int] = {}

    def add_evse(self, station_no: int, evse_id: int, max_power_w: int) -> None:
        """What an EVSE can give [W]."""
        self._max_power_w[station_no, evse_id] = max_power_w

    def add_token(
        self,
        tenant: int,
        token: str,
        status: AuthorizationStatus = AuthorizationStatus.ACCEPTED,
        valid_to: datetime | None = None,
        single_session: bool = False,
    ) -> None:
        """An id token that we know."""
        facts = TokenFacts(status=status, valid_to=valid_to, single_session=single_session)
        self._tokens[tenant, normalise_token(token)] = facts

    def add_alias(self, tenant: int, alias: str, token: str) -> None:
        """Another form in which a token is sent."""
        self._aliases[tenant, normalise_token(alias)] = normalise_token(token)

    def add_contract(
        self, tenant: int, contract_id: str, valid_from: datetime = ALWAYS, valid_to: datetime | None = None
    ) -> None:
        """A contract and how long it runs."""
        self._date(tenant, "contract", "contract", contract_id, Dated(valid_from, valid_to, contract_id))

    def add_tariff(self, tenant: int, document: bytes, valid_from: datetime = ALWAYS) -> None:
        """A tariff, or its next version."""
        tariff = parse_tariff(document)
        self._tariffs.setdefault((tenant, tariff.id), []).append((valid_from, tariff))
        self._documents.setdefault((tenant, tariff.id), []).append(document.decode())

    def link_token(
        self,
        tenant: int,
        token: str,
        contract_id: str,
        valid_from: datetime = ALWAYS,
        valid_to: datetime | None = None,
    ) -> None:
        """A token charges on a contract."""
        self._date(tenant, "contract", "token", normalise_token(token), Dated(valid_from, valid_to, contract_id))

    def assign_tariff(
        self, tenant: int, scope: str, scope_id: str, tariff_id: str, valid_from: datetime = ALWAYS
    ) -> None:
        """A contract, station (by identity), site, or the default ("") has a tariff."""
        self._date(tenant, "tariff", scope, scope_id, Dated(valid_from, None, tariff_id))

    def assign_seller(
        self,
        tenant: int,
        site_id: str,
        seller_id: str,
        valid_from: datetime = ALWAYS,
        valid_to: datetime | None = None,
    ) -> None:
        """A legal entity sells at a site."""
        self._date(tenant, "seller", "site", site_id, Dated(valid_from, valid_to, seller_id))

    def tariff(self, tenant: int, choice: TariffChoice) -> Tariff:
        """The tariff version that a session froze."""
        return self._tariffs[tenant, choice.tariff_id][choice.version - 1][1]

    def tariff_document(self, tenant: int, choice: TariffChoice) -> str:
        """The JSON text of that version."""
        return self._documents[tenant, choice.tariff_id][choice.version - 1]

    def facts(self, question: Question, station: Station) -> StartFacts:
        """What a session takes from the terms at the question's instant."""
        name, found_as = self._known_by(question)
        token = self._tokens.get((question.tenant, name))
        linked = self._latest(question, "contract", "token", name)
        contract_id = self._latest(question, "contract", "contract", linked) if linked else None
        choice = self._choice(question, contract_id, station)
        idle = self.tariff(question.tenant, choice).laddbok.idle if choice else None
        return StartFacts(
            token=token
            and replace(token, contract_id=contract_id, known_as=name if found_as else None, found_as=found_as),
            tariff=choice,
            waits_for_unplug=idle is not None and idle.until is IdleUntil.UNPLUG,
            seller_id=self._latest(question, "seller", "site", station.site_id),
            max_power_w=self._max_power_w.get((question.station_no, question.evse_id or 0)),
        )

    def _known_by(self, question: Question) -> tuple[str, str]:
        """The stored token behind the one that was presented, and as what it was found; "": as itself, or not at all."""
        presented = question.token or ""
        forms = ((presented, ""), (self._aliases.get((question.tenant, presented)), "alias"))
        for name, found_as in (*forms, (question.reversed_token, "reversed")):
            if name and (question.tenant, name) in self._tokens:
                return name, found_as
        return presented, ""

    def _choice(self, question: Question, contract_id: str | None, station: Station) -> TariffChoice | None:
        """The tariff of the first scope that has one with a version that has begun and not ended by then."""
        scopes = (("station", station.identity), ("site", station.site_id), ("default", ""))
        for scope, scope_id in (("contract", contract_id), *scopes) if contract_id else scopes:
            choice = self._begun(question, scope, scope_id or "")
            ends_at = self.tariff(question.tenant, choice).end_date_time if choice else None
            if choice and (ends_at is None or question.at < ends_at):
                return choice
        return None

    def _begun(self, question: Question, scope: str, scope_id: str) -> TariffChoice | None:
        """The newest version of the tariff that this scope was given last, of those that had begun by then."""
        for tariff_id in self._holding(question, "tariff", scope, scope_id):
            versions = enumerate(self._tariffs.get((question.tenant, tariff_id), ()), start=1)
            begun = [(since, number) for number, (since, _) in versions if since <= question.at]
            if begun:
                return TariffChoice(tariff_id, max(begun)[1], scope)
        return None

    def _date(self, tenant: int, what: str, scope: str, scope_id: str, dated: Dated) -> None:
        self._dated.setdefault((tenant, what, scope, scope_id), []).append(dated)

    def _latest(self, question: Question, what: str, scope: str, scope_id: str) -> str | None:
        return next(iter(self._holding(question, what, scope, scope_id)), None)

    def _holding(self, question: Question, what: str, scope: str, scope_id: str) -> list[str]:
        """What holds at the question's instant, the latest to begin first."""
        dated = self._dated.get((question.tenant, what, scope, scope_id), ())
        holding = [d for d in dated if d.valid_from <= question.at and (d.valid_to is None or question.at < d.valid_to)]
        return [d.value for d in sorted(holding, key=lambda d: d.valid_from, reverse=True)]
