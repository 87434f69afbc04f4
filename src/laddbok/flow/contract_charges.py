"""What is a contract charged beside its sessions, and what does it give back when one is corrected?

A subscription's month costs its fee, by the days on which it holds. Its included energy is used up by the sessions of the
month in the order in which they were metered; what that changes of each session's price is kept with the charge. A session
that comes late continues from what was used. When one is corrected it gives back what it got, on its credit note, and the
month is shared out anew: the next charge has what that changes of the others, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from laddbok.billing.draft import MONTHS, nets_by_rate
from laddbok.flow.billing_run import Charged
from laddbok.model.billing import ChargedSession, ChargeKind, ContractCharge, Position, RateNet, SellerTerms
from laddbok.model.errors import Invalid
from laddbok.model.invoice import InvoiceLine, Text, Unit, VatRate
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.superset import Tier
from laddbok.model.tariff import Tariff
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.month_fee import Month, held_days, month_fee
from laddbok.rating.rate import rate
from laddbok.rating.subscription import tier_ends

SessionKey = tuple[str, int]
"""A session and the revision of its CDR."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription that a contract had from one instant to another (None: without end)."""

    contract_id: str
    contract_name: str
    tariff: Tariff
    valid_from: datetime
    valid_to: datetime | None
    cost_centre: str | None = None


class Used(msgspec.Struct, frozen=True):
    """A session that uses included energy: with the tariff of its site, and the market's prices if that needs them."""

    position: Position
    compiled: CompiledTariff
    prices: SpotPrices | None = None


def fee_of(held: Sequence[Held], month: Month, terms: SellerTerms) -> Charged | None:
    """A contract's fee for a month, a line for each subscription that it had in it; None when it comes to nothing.

    Raises: Invalid when a fee is in another currency, or its VAT is not known.
    Source: docs/rules.md "Month fee"; case B42.
    """
    zone = ZoneInfo(terms.time_zone)
    lines, days = [], 0
    for each in held:
        subscription = each.tariff.laddbok.subscription
        assert subscription is not None
        span = held_days(month, each.valid_from, each.valid_to, zone)
        fee = month_fee(subscription, span, month, each.tariff.currency, each.tariff.tax)
        if not subscription.month_fee or not fee.days:
            continue
        where = f"contract {each.contract_id}"
        if each.tariff.currency != terms.currency:
            raise Invalid(where, f"its fee is in {each.tariff.currency}, and its seller bills in {terms.currency}")
        if fee.excl_vat is None or fee.vat_percent is None:
            raise Invalid(where, "the VAT of its month fee is not known")
        days += fee.days
        text = _fee_text(each.contract_name, month, fee.days)
        lines.append(_line(text, Decimal(1), Unit.ONE, fee.excl_vat, fee.vat_percent, each.cost_centre))
    if not lines:
        return None
    charge = ContractCharge(
        contract_id=held[0].contract_id, kind=ChargeKind.MONTH_FEE, month=str(month), number=1,
        tariff_id=held[-1].tariff.id, net=sum((line.net for line in lines), Decimal(0)), nets=_nets(lines, 1), days=days,
    )  # fmt: skip
    return Charged(charge, tuple(lines))


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Whose included energy is shared out: a contract's at a tariff in a month. `earlier` are its charges in that month."""

    contract_id: str
    month: Month
    tariff_id: str
    tiers: tuple[Tier, ...]
    earlier: tuple[ContractCharge, ...]


def included(share: Share, used: Sequence[Used], again: Sequence[Used] = ()) -> Charged | None:
    """What included energy changes of the sessions of one month and tariff; None when it changes nothing.

    Args: used, those that are billed now; again, when the month is shared out anew: all others that stand.
    Raises: Invalid when a session's VAT is not known.
    Source: docs/rules.md "Included energy"; case B41.
    """
    every = [*again, *used]
    if not every:
        return None
    before_wh = 0 if again else used_wh(share.earlier, share.tariff_id)
    ends = tier_ends([each.position.cdr for each in every], share.tiers, before_wh)
    known = standing(share.earlier, share.tariff_id)
    changes = (_less(_session(each, end), known) for each, end in zip(every, ends, strict=True))
    sessions = tuple(each for each in changes if each.nets or each.energy_wh)
    if not sessions:
        return None
    lines = _lines(sessions, _included_text(share.month), every[0].position.cost_centre)
    charge = ContractCharge(
        contract_id=share.contract_id, kind=ChargeKind.INCLUDED, month=str(share.month),
        number=_next(share.earlier, ChargeKind.INCLUDED), tariff_id=share.tariff_id,
        net=sum((line.net for line in lines), Decimal(0)), nets=_nets(lines, 1), sessions=sessions,
    )  # fmt: skip
    return Charged(charge, lines)


def standing(charges: Iterable[ContractCharge], tariff_id: str) -> dict[SessionKey, dict[Decimal, Decimal]]:
    """What stands of the included energy of a month: for each session and revision, by rate of VAT."""
    found: dict[SessionKey, dict[Decimal, Decimal]] = {}
    every = [each for each in charges if each.tariff_id == tariff_id]
    for charge in sorted(every, key=lambda each: each.kind is ChargeKind.INCLUDED_BACK):
        for session in charge.sessions:
            key = (session.session_id, session.revision)
            if charge.kind is ChargeKind.INCLUDED_BACK:
                found.pop(key, None)
                continue
            nets = found.setdefault(key, {})
            for each in session.nets:
                nets[each.percent] = nets.get(each.percent, Decimal(0)) + each.net
    return found


def _less(session: ChargedSession, known: Mapping[SessionKey, Mapping[Decimal, Decimal]]) -> ChargedSession:
    """What a session gets beyond what it was charged with before; its energy is counted once."""
    before = known.get((session.session_id, session.revision))
    if before is None:
        return session
    now = {each.percent: each.net for each in session.nets}
    more = ((percent, now.get(percent, Decimal(0)) - before.get(percent, Decimal(0))) for percent in {**before, **now})
    return replace(session, energy_wh=0, nets=tuple(RateNet(percent, net) for percent, net in more if net))


def given_back(credit: Position, earlier: Iterable[ContractCharge]) -> Charged | None:
    """What a session that is credited got as included energy, to be taken back on its credit note; None: nothing.

    Args: earlier, all charges of its contract. The credit note has its lines as the invoice has them.
    Source: docs/rules.md "Included energy".
    """
    before = list(earlier)
    key = (credit.session_id, credit.revision)
    found = [
        (charge, session)
        for charge in before
        for session in charge.sessions
        if charge.kind is ChargeKind.INCLUDED and (session.session_id, session.revision) == key
    ]
    if not found:
        return None
    charge = found[0][0]
    nets = standing(before, charge.tariff_id).get(key, {})
    session = replace(found[0][1], nets=tuple(RateNet(percent, net) for percent, net in nets.items() if net))
    text = Text(sv="Inkluderad energi för den rättade laddningen", en="Included energy of the corrected session")
    lines = _lines((session,), text, credit.cost_centre)
    in_month = [each for each in before if each.month == charge.month]
    back = replace(
        charge, kind=ChargeKind.INCLUDED_BACK, sessions=(session,), net=-sum((line.net for line in lines), Decimal(0)),
        nets=_nets(lines, -1),
        number=_next(in_month, ChargeKind.INCLUDED_BACK),
    )  # fmt: skip
    return Charged(back, lines)


def used_wh(charges: Iterable[ContractCharge], tariff_id: str) -> int:
    """What sessions of a month used at a tariff, less those that gave it back."""
    signs = {ChargeKind.INCLUDED: 1, ChargeKind.INCLUDED_BACK: -1}
    return sum(
        signs.get(charge.kind, 0) * session.energy_wh
        for charge in charges
        if charge.tariff_id == tariff_id
        for session in charge.sessions
    )


def _session(used: Used, ends_wh: tuple[int, ...]) -> ChargedSession:
    cdr = used.position.cdr
    issued = rate(cdr, used.compiled, prices=used.prices)
    with_tiers = rate(cdr, used.compiled, prices=used.prices, tier_ends_wh=ends_wh)
    old, new = (nets_by_rate(replace(used.position, rating=rating)) for rating in (issued, with_tiers))
    changes = ((percent, new.get(percent, Decimal(0)) - old.get(percent, Decimal(0))) for percent in {**old, **new})
    return ChargedSession(
        session_id=cdr.session_id, revision=used.position.revision, energy_wh=cdr.energy_wh, tier_ends_wh=ends_wh,
        nets=tuple(RateNet(percent, net) for percent, net in changes if net),
    )  # fmt: skip


def _lines(sessions: Sequence[ChargedSession], text: Text, cost_centre: str | None) -> tuple[InvoiceLine, ...]:
    """A line per rate of VAT; with the kWh that were included where there is one rate."""
    nets: dict[Decimal, Decimal] = {}
    for session in sessions:
        for each in session.nets:
            nets[each.percent] = nets.get(each.percent, Decimal(0)) + each.net
    kwh = Decimal(sum(min(session.tier_ends_wh[-1], session.energy_wh) for session in sessions)).scaleb(-3)
    in_kwh = len(nets) == 1 and kwh > 0 and all(session.energy_wh for session in sessions)
    quantity, unit = (kwh, Unit.KWH) if in_kwh else (Decimal(1), Unit.ONE)
    return tuple(_line(text, quantity, unit, net, percent, cost_centre) for percent, net in nets.items() if net)


def _next(charges: Iterable[ContractCharge], kind: ChargeKind) -> int:
    """The number after those that were given: one that was planned and could not be billed leaves a gap."""
    return 1 + max((each.number for each in charges if each.kind is kind), default=0)


def _nets(lines: Iterable[InvoiceLine], sign: int) -> tuple[RateNet, ...]:
    nets: dict[Decimal, Decimal] = {}
    for line in lines:
        nets[line.vat.percent] = nets.get(line.vat.percent, Decimal(0)) + sign * line.net
    return tuple(RateNet(percent, net) for percent, net in nets.items())


def _line(
    text: Text, quantity: Decimal, unit: Unit, net: Decimal, percent: Decimal, cost_centre: str | None
) -> InvoiceLine:
    return InvoiceLine(
        number=0,
        text=text,
        quantity=-quantity if net < 0 else quantity,
        unit=unit,
        unit_price=abs(net),
        per=quantity,
        net=net,
        vat=VatRate(category="S" if percent else "E", percent=percent),
        cost_centre=cost_centre,
    )


def _fee_text(name: str, month: Month, days: int) -> Text:
    sv, en = (f"{MONTHS[language][month.month - 1]} {month.year}" for language in ("sv", "en"))
    if days == month.day_count:
        return Text(sv=f"Månadsavgift {sv}, {name}", en=f"Month fee {en}, {name}")
    return Text(
        sv=f"Månadsavgift {sv}, {days} av {month.day_count} dagar, {name}",
        en=f"Month fee {en}, {days} of {month.day_count} days, {name}",
    )


def _included_text(month: Month) -> Text:
    sv, en = (f"{MONTHS[language][month.month - 1]} {month.year}" for language in ("sv", "en"))
    return Text(sv=f"Inkluderad energi {sv}", en=f"Included energy {en}")
