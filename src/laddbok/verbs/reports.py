"""What does a person read in a terminal?

The same session that the API shows, as text: what happened, the energy, the price and why, and where the evidence lies.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from laddbok.api.price_view import NoPrice, PriceView, price_of
from laddbok.api.prices import Prices
from laddbok.api.session_view import SessionView, session_views
from laddbok.api.signed_values import SignedValueView, signed_frames, verified
from laddbok.api.timeline import TimelineItem, timeline_of
from laddbok.model.errors import NotFound
from laddbok.model.ids import normalise_session_id, session_id_begin
from laddbok.model.money import amount_text
from laddbok.settings import Settings
from laddbok.store.database import open_database
from laddbok.store.reads import Filters, on_behalf
from laddbok.store.sql import query
from laddbok.wires.ocmf import check_reading

MAX_TIMELINE = 500


async def session(settings: Settings, session_id: str, language: str, as_json: bool) -> dict[str, Any]:
    """Print one session; the first letters of its id do if they are of no other. Raises: NotFound."""
    async with each_tenant(settings) as (pool, tenants):
        for tenant in tenants:
            async with on_behalf(pool, tenant) as connection:
                now = await _now(connection, settings)
                found = await session_views(connection, _named(session_id), Prices(), now, limit=2)
                if len(found) != 1:
                    continue
                wanted = found[0].id
                price = await price_of(connection, Prices(), tenant, wanted, now)
                items = (await timeline_of(connection, wanted, MAX_TIMELINE)).items
                signed = await verified(await signed_frames(connection, wanted), check_reading)
                root = await connection.fetchval(query("root_of_session"), wanted)
                if not as_json:
                    _print_session(found[0], price, items, language)
                    _print_proof(signed, root, language)
                whole: dict[str, Any] = msgspec.to_builtins(found[0], builtin_types=())
                told = {"price": price, "timeline": items, "signed_values": signed, "root": root}
                return {**whole, **msgspec.to_builtins(told)}
    raise NotFound("session", session_id)


def _named(text: str) -> Filters:
    """Sessions of this id, or whose ids begin so."""
    filters = Filters()
    begin = session_id_begin(text)
    filters.add(*(("s.id = ?", normalise_session_id(text)) if begin is None else ("starts_with(s.id, ?)", begin)))
    return filters


async def session_list(settings: Settings, state: str | None, limit: int, as_json: bool) -> dict[str, Any]:
    """Print the latest sessions of all tenants."""
    items: list[SessionView] = []
    async with each_tenant(settings) as (pool, tenants):
        for tenant in tenants:
            filters = Filters()
            if state is not None:
                filters.add("s.state = ?", state)
            async with on_behalf(pool, tenant) as connection:
                now = await _now(connection, settings)
                items += await session_views(connection, filters, Prices(), now, limit=limit)
    items = sorted(items, key=lambda item: item.started_at, reverse=True)[:limit]
    if not as_json:
        for item in items:
            print(_line(item))
    return {"items": msgspec.to_builtins(items)}


@asynccontextmanager
async def each_tenant(settings: Settings) -> AsyncIterator[tuple[asyncpg.Pool, list[int]]]:
    """A pool and the numbers of all tenants, for a command that looks through them."""
    async with open_database(settings.database_url, settings.state_folder, create=False) as database:
        pool = await database.pool(2)
        try:
            async with pool.acquire() as connection:
                rows = await connection.fetch(query("all_tenants"))
            yield pool, [row["tenant"] for row in rows]
        finally:
            await pool.close()


async def _now(connection: asyncpg.Connection, settings: Settings) -> datetime:
    """Business time: of a demo, whose clock runs ahead of ours, at least the last frame's."""
    heard_at: datetime | None = await connection.fetchval(query("last_heard"))
    now = settings.clock.now()
    return now if heard_at is None else max(now, heard_at)


def _line(item: SessionView) -> str:
    energy = "-" if item.energy_wh is None else f"{item.energy_wh / 1000:.3f} kWh"
    price = item.price_missing_reason or "-"
    if item.price is not None:
        price = _amount(item.price.incl_vat, item.price.excl_vat, item.price.currency, "en")
    at = f"{item.started_at:%Y-%m-%d %H:%M}Z"
    return f"{item.id}  {at}  {item.station_id:12} {item.state:8} {energy:>12}  {price}"


def _print_session(item: SessionView, price: PriceView | NoPrice, items: list[TimelineItem], language: str) -> None:
    words = _WORDS[language]
    print(f"{words['session']} {item.id}  ({', '.join([item.state, *item.review_reasons])})")
    token = f"{words['token']} {item.id_token or '-'}"
    print(f"  {item.station_id}, EVSE {item.evse_id}, {token}, {words['transaction']} {item.transaction_id}")
    for name in ("started_at", "charging_ended_at", "transaction_ended_at", "unplugged_at"):
        print(f"  {words[name]:24} {_instant(getattr(item, name))}")
    energy = "-" if item.energy_wh is None else f"{item.energy_wh / 1000:.3f} kWh"
    print(f"  {words['energy']:24} {energy}")
    _print_finding(item, words)
    print()
    _print_price(price, language)
    print()
    for each in items:
        print(f"  {each.received_at:%H:%M:%S}  {getattr(each.text, language)}")


def _print_proof(signed: list[SignedValueView], root: str | None, language: str) -> None:
    """What the meter signed, and the root over everything that the bill was made of."""
    words = _WORDS[language]
    if signed or root:
        print()
    for each in signed:
        register = "-" if each.register_wh is None else f"{each.register_wh / 1000:.3f} kWh"
        print(f"  {each.received_at:%H:%M:%S}  {words['signed']} {register}: {words[each.verdict.value]}")
    if root:
        print(f"  {words['root']} {root}")


def _print_finding(item: SessionView, words: dict[str, str]) -> None:
    """How the energy was found: the way, how sure it is, the other ways, and what speaks of the register."""
    if item.verdict is not None:
        print(f"  {words['verdict']:24} {item.verdict.kind}: {item.verdict.reason}")
    found = item.energy
    if found is None:
        return
    print(f"  {words['found']:24} {found.method or '-'}, {words['confidence']}: {found.confidence}")
    for each in found.estimates:
        mark = "*" if each.method is found.method else " "
        print(f"  {mark} {each.method:22} {each.energy_wh / 1000:.3f} kWh, {words['covers']} {each.covered_s} s")
    print(f"  {words['bound']:24} {found.bound_wh / 1000:.3f} kWh")
    if found.begin_wh is not None and found.end_wh is not None:
        notes = "".join(f", {note}" for note in found.notes)
        print(f"  {words['registers']:24} {found.begin_wh} - {found.end_wh} Wh{notes}")
    if found.gap_wh:
        print(f"  {words['gap']:24} {found.gap_wh} Wh")


def _print_price(price: PriceView | NoPrice, language: str) -> None:
    words = _WORDS[language]
    if isinstance(price, NoPrice):
        print(f"  {words['no_price']}: {price.reason}")
        return
    for line in price.lines:
        sides = (line.incl_vat, line.excl_vat) if price.tax_included else (line.excl_vat, line.incl_vat)
        amount = next((side for side in sides if side is not None), None)
        shown = "-" if amount is None else amount_text(amount, price.currency, language)
        print(f"  {getattr(line.text, language):56} {shown:>14}")
    if price.excl_vat is not None and price.incl_vat is not None:
        vat = amount_text(price.incl_vat - price.excl_vat, price.currency, language)
        print(f"  {words['vat_within' if price.tax_included else 'vat_added']:56} {vat:>14}")
    total = _amount(price.incl_vat, price.excl_vat, price.currency, language)
    kind = words["final"] if price.final else f"{words['so_far']} {_instant(price.as_of)}"
    print(f"  {words['total']:56} {total:>14}   {kind}, {price.tariff.id} v{price.tariff.version}")
    for finding in price.findings:
        print(f"  ! {getattr(finding.text, language)}")


def _amount(incl_vat: Any, excl_vat: Any, currency: str, language: str) -> str:
    if incl_vat is not None:
        return amount_text(incl_vat, currency, language)
    return f"{amount_text(excl_vat, currency, language)} + VAT" if excl_vat is not None else "-"


def _instant(at: Any) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S}Z"


_WORDS = {
    "en": {
        "session": "Session",
        "token": "id token",
        "transaction": "transaction",
        "started_at": "started",
        "charging_ended_at": "charging ended",
        "transaction_ended_at": "transaction ended",
        "unplugged_at": "unplugged",
        "energy": "energy",
        "found": "found by",
        "confidence": "confidence",
        "covers": "covers",
        "bound": "the outlet could give",
        "registers": "registers",
        "gap": "moved before it",
        "verdict": "a person decided",
        "no_price": "no price",
        "final": "final",
        "so_far": "so far, as of",
        "total": "Total incl. VAT",
        "vat_added": "VAT",
        "vat_within": "of which VAT",
        "signed": "signed by the meter,",
        "valid": "the signature holds",
        "invalid": "the signature is none",
        "tampered": "changed after it was signed, or another key",
        "not_verifiable": "can't be verified",
        "root": "root",
    },
    "sv": {
        "session": "Laddning",
        "token": "bricka",
        "transaction": "transaktion",
        "started_at": "började",
        "charging_ended_at": "laddningen slutade",
        "transaction_ended_at": "transaktionen slutade",
        "unplugged_at": "kabeln ur",
        "energy": "energi",
        "found": "funnen genom",
        "confidence": "säkerhet",
        "covers": "täcker",
        "bound": "uttaget kunde ge",
        "registers": "mätarställningar",
        "gap": "rörde sig före den",
        "verdict": "en människa beslutade",
        "no_price": "inget pris",
        "final": "slutligt",
        "so_far": "hittills, per",
        "total": "Summa inkl. moms",
        "vat_added": "moms",
        "vat_within": "varav moms",
        "signed": "signerat av mätaren,",
        "valid": "signaturen stämmer",
        "invalid": "signaturen är ingen",
        "tampered": "ändrat efter signeringen, eller en annan nyckel",
        "not_verifiable": "kan inte kontrolleras",
        "root": "rot",
    },
}
