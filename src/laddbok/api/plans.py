"""Between which price plans may a contract choose, and who pays which part of it?

A plan is a tariff under a name that a driver understands, offered to a contract by an administrator. One that is offered can
be chosen: the choice is the contract's tariff for sessions that begin from now on, with who chose it. A plan that is
withdrawn can't be chosen any more; a contract that has it keeps it until it chooses another.
"""

from datetime import datetime
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Response, delete, get, put
from litestar.params import FromPath, JSONBody

from laddbok.api.contracts import IdInPath, Name
from laddbok.api.door import ADMINISTRATOR
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.writes import IdempotencyKey, written
from laddbok.model.agreement import Agreement, parse_agreement
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.tariff import decode_object
from laddbok.store.sql import query

MAX_PLANS = 50
"""Offered to one contract at a time."""
About = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class PlanName(msgspec.Struct, forbid_unknown_fields=True):
    """How a plan is called."""

    sv: Name
    en: Name


class PlanAbout(msgspec.Struct, forbid_unknown_fields=True):
    """Whom a plan is for, in a sentence."""

    sv: About
    en: About


class PlanOffer(msgspec.Struct, forbid_unknown_fields=True):
    """A plan as it is offered."""

    name: PlanName
    about: PlanAbout


class PlanView(msgspec.Struct):
    """An offered plan; `currency` null: its tariff has no price at present, and it can't be chosen."""

    tariff_id: str
    name: PlanName
    about: PlanAbout
    currency: str | None
    is_chosen: bool
    offered_at: datetime
    offered_by: str


class Choice(msgspec.Struct):
    """The tariff that a contract has; `by` null: it was assigned, not chosen among plans."""

    tariff_id: str
    since: datetime
    by: str | None


class ContractPlans(msgspec.Struct):
    """What a contract is offered, and what it has; `choice` null: it has what applies where it charges."""

    contract_id: str
    choice: Choice | None
    items: list[PlanView]


class ChosenPlan(msgspec.Struct, forbid_unknown_fields=True):
    """Which plan shall apply from now on."""

    tariff_id: str


class AgreementView(msgspec.Struct):
    """Who pays which part of a contract's sessions; `agreement` null: its payer pays all."""

    contract_id: str
    agreement: Agreement | None
    valid_from: datetime | None
    agreed_by: str | None


class AgreementChange(msgspec.Struct, forbid_unknown_fields=True):
    """The agreement that shall hold from now on; null ends the present one."""

    agreement: dict[str, Any] | None


@get("/contracts/{contract_id:str}/plans")
async def list_plans(request: ApiRequest, contract_id: FromPath[str]) -> ContractPlans:
    """The plans that a contract is offered, and its present choice."""
    async with asked(request) as connection:
        return await _plans(connection, contract_id, parts_of(request).clock.now())


@put("/contracts/{contract_id:str}/plans/{tariff_id:str}", opt=ADMINISTRATOR)
async def offer_plan(
    request: ApiRequest,
    contract_id: IdInPath,
    tariff_id: FromPath[str],
    data: JSONBody[PlanOffer],
    idempotency_key: IdempotencyKey = None,
) -> Response[ContractPlans]:
    """Offer a plan to a contract, or change how it is called."""
    now, texts = parts_of(request).clock.now(), (data.name.sv, data.name.en, data.about.sv, data.about.en)

    async def work(connection: asyncpg.Connection) -> ContractPlans:
        await _check_contract(connection, contract_id)
        if await connection.fetchval(query("plan_count"), contract_id, tariff_id) >= MAX_PLANS:
            raise Conflict(f"the contract is offered {MAX_PLANS} plans already")
        await connection.execute(query("plan_offer"), contract_id, tariff_id, *texts, now, request.user.name)
        return await _plans(connection, contract_id, now)

    return await written(request, work)


@delete("/contracts/{contract_id:str}/plans/{tariff_id:str}", opt=ADMINISTRATOR, status_code=200)
async def withdraw_plan(
    request: ApiRequest, contract_id: IdInPath, tariff_id: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[ContractPlans]:
    """Offer a plan no more; a contract that has it keeps it until it chooses another."""
    now = parts_of(request).clock.now()

    async def work(connection: asyncpg.Connection) -> ContractPlans:
        await _check_contract(connection, contract_id)
        if not await connection.fetchval(query("plan_withdraw"), contract_id, tariff_id, now, request.user.name):
            raise NotFound("offered plan", tariff_id)
        return await _plans(connection, contract_id, now)

    return await written(request, work)


@put("/contracts/{contract_id:str}/plan")
async def choose_plan(
    request: ApiRequest, contract_id: IdInPath, data: JSONBody[ChosenPlan], idempotency_key: IdempotencyKey = None
) -> Response[ContractPlans]:
    """Choose one of the offered plans, for sessions that begin from now on."""
    now = parts_of(request).clock.now()

    async def work(connection: asyncpg.Connection) -> ContractPlans:
        await _check_contract(connection, contract_id)
        if not await connection.fetchval(query("plan_hold"), contract_id, data.tariff_id):
            raise Invalid("tariff_id", f"{data.tariff_id!r} is not offered to this contract")
        plans = await _plans(connection, contract_id, now)
        if not any(plan.currency for plan in plans.items if plan.tariff_id == data.tariff_id):
            raise Invalid("tariff_id", f"{data.tariff_id!r} has no price at present")
        if plans.choice is None or plans.choice.tariff_id != data.tariff_id:
            begins_at = now.replace(microsecond=0)
            await connection.execute(query("plan_choose"), contract_id, data.tariff_id, begins_at, request.user.name)
        return await _plans(connection, contract_id, now)

    return await written(request, work)


@get("/contracts/{contract_id:str}/agreement")
async def show_agreement(request: ApiRequest, contract_id: FromPath[str]) -> AgreementView:
    """Who pays which part of a contract's sessions that begin now."""
    async with asked(request) as connection:
        await _check_contract(connection, contract_id)
        return await _agreement(connection, contract_id, parts_of(request).clock.now())


@put("/contracts/{contract_id:str}/agreement")
async def put_agreement(
    request: ApiRequest, contract_id: IdInPath, data: JSONBody[AgreementChange], idempotency_key: IdempotencyKey = None
) -> Response[AgreementView]:
    """Let an agreement hold for a contract's sessions that begin from now on."""
    now = parts_of(request).clock.now()
    exact = decode_object(await request.body(), "body")["agreement"]
    agreement = None if data.agreement is None else parse_agreement(exact)

    async def work(connection: asyncpg.Connection) -> AgreementView:
        await _check_contract(connection, contract_id)
        await _check_payers(connection, agreement)
        document = None if agreement is None else msgspec.json.encode(agreement).decode()
        begins_at = now.replace(microsecond=0)
        await connection.execute(query("agreement_put"), contract_id, begins_at, document, request.user.name)
        return await _agreement(connection, contract_id, now)

    return await written(request, work)


async def _check_contract(connection: asyncpg.Connection, contract_id: str) -> None:
    if not await connection.fetchval(query("scope_exists"), "contract", contract_id):
        raise NotFound("contract", contract_id)


async def _check_payers(connection: asyncpg.Connection, agreement: Agreement | None) -> None:
    named = [] if agreement is None else [*agreement.payers]
    for row in await connection.fetch(query("payers_unknown"), named):
        raise Invalid("agreement", f"there is no payer {row['id']!r}")


async def _plans(connection: asyncpg.Connection, contract_id: str, now: datetime) -> ContractPlans:
    await _check_contract(connection, contract_id)
    present = await connection.fetchrow(query("plan_present"), contract_id, now)
    choice = None if present is None else Choice(*present.values())
    rows = await connection.fetch(query("plan_rows"), contract_id, now)
    return ContractPlans(contract_id, choice, [_plan(row, choice) for row in rows])


def _plan(row: asyncpg.Record, choice: Choice | None) -> PlanView:
    return PlanView(
        tariff_id=row["tariff_id"],
        name=PlanName(row["name_sv"], row["name_en"]),
        about=PlanAbout(row["about_sv"], row["about_en"]),
        currency=row["currency"],
        is_chosen=choice is not None and choice.tariff_id == row["tariff_id"],
        offered_at=row["offered_at"],
        offered_by=row["offered_by"],
    )


async def _agreement(connection: asyncpg.Connection, contract_id: str, now: datetime) -> AgreementView:
    row = await connection.fetchrow(query("agreement_at"), contract_id, now)
    if row is None or row["document"] is None:
        return AgreementView(contract_id, None, row and row["valid_from"], row and row["agreed_by"])
    return AgreementView(contract_id, parse_agreement(row["document"].encode()), row["valid_from"], row["agreed_by"])
