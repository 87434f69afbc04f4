"""What do the quantities of a session come to?

Each usage becomes one rated line: quantity times price, multiplied before it is divided, rounded once. VAT and price
limits then act on the sums; a limit is a line of its own, so that lines still sum to the totals.
"""

from datetime import UTC, datetime
from decimal import Decimal

from msgspec.structs import replace

from laddbok.model.cdr import Cdr
from laddbok.model.money import divide_half_up, from_minor, millionths
from laddbok.model.rated import Finding, FindingCode, LineKind, RatedLine, Rating
from laddbok.model.spot_prices import QUARTER_S
from laddbok.model.tariff import TaxIncluded
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.price_limits import Side, within_limits
from laddbok.rating.spot import shared_amounts
from laddbok.rating.usage import Usage
from laddbok.rating.vat import both_sides

_LIMIT_FINDINGS = {
    LineKind.FLOOR: (FindingCode.NOT_BELOW_NOTHING, "the session came to less than nothing and costs 0"),
    LineKind.MIN_PRICE: (FindingCode.MIN_PRICE_APPLIED, "the tariff's least price was applied"),
    LineKind.MAX_PRICE: (FindingCode.MAX_PRICE_APPLIED, "the tariff's highest price was applied"),
}

_VAT_ABSENT = Finding(
    FindingCode.VAT_ABSENT,
    "elements",
    "a price that applies states no VAT: the amount on the other side of the VAT is not known",
)


def rated(
    cdr: Cdr, compiled: CompiledTariff, usages: list[Usage], findings: list[Finding], *, limited: bool = True
) -> Rating:
    """The rating of a CDR whose quantities are known.

    Args: usages, in the order of the lines; findings so far; limited, whether price limits apply.
    Source: our choice, design "Money".
    """
    pending = [usage for usage in usages if usage.component.price is None]
    known = [usage for usage in usages if usage.component.price is not None] if pending else usages
    amounts = _amounts(known, compiled)
    nets, grosses = both_sides(amounts, [usage.component.vat_millionths for usage in known], compiled.tax)
    unit, at = from_minor(1, compiled.currency), _instants(usages)
    lines = [
        _line(usage, compiled, amounts[i], _side(nets, i, unit), _side(grosses, i, unit), at)
        for i, usage in enumerate(known)
    ]
    net, gross = (None if side is None else sum(side) for side in (nets, grosses))
    if limited and not pending:
        net, gross = _limit(cdr, compiled, lines, findings, net, gross)
    if net is None or gross is None:
        findings.append(_VAT_ABSENT)
    if pending:
        lines += [_line(usage, compiled, 0, None, None, at) for usage in pending]
        net = gross = None
        findings.append(_pending(pending))
    return Rating(
        tariff_id=compiled.tariff_id,
        currency=compiled.currency,
        tax_included=compiled.tax is TaxIncluded.YES,
        excl_vat=_decimal(net, unit),
        incl_vat=_decimal(gross, unit),
        final=cdr.transaction_ended_at is not None,
        lines=tuple(lines),
        findings=(*compiled.findings, *findings),
    )


def _pending(usages: list[Usage]) -> Finding:
    wh, first_at = sum(usage.quantity for usage in usages), datetime.fromtimestamp(usages[0].start_s, UTC)
    count = len({usage.start_s // QUARTER_S for usage in usages})
    text = f"the market price of {count} quarters from {first_at:%Y-%m-%dT%H:%MZ} on is not known: {wh} Wh wait for it"
    return Finding(FindingCode.PRICE_PENDING, "laddbok.spot", text)


def _amounts(usages: list[Usage], compiled: CompiledTariff) -> list[int]:
    """What each usage comes to [minor units]; those of a spot price are shares of one amount."""
    if compiled.spot is None:
        return [_amount_minor(usage, compiled) for usage in usages]
    shares = iter(shared_amounts([usage for usage in usages if usage.component.parts is not None]))
    return [_amount_minor(usage, compiled) if usage.component.parts is None else next(shares) for usage in usages]


def _amount_minor(usage: Usage, compiled: CompiledTariff) -> int:
    amount = divide_half_up(usage.quantity * usage.component.numerator, usage.component.denominator)
    cap = _cap_minor(usage, compiled)
    return amount if cap is None else min(amount, cap)


def _cap_minor(usage: Usage, compiled: CompiledTariff) -> int | None:
    return compiled.idle.cap_minor if compiled.idle and usage.component.kind is LineKind.IDLE else None


def _instants(usages: list[Usage]) -> dict[int, datetime]:
    """The instants of all usages, each made once: the end of one is mostly the start of the next."""
    return {at_s: datetime.fromtimestamp(at_s, UTC) for at_s in {x for u in usages for x in (u.start_s, u.end_s)}}


def _line(
    usage: Usage,
    compiled: CompiledTariff,
    amount: int,
    net: Decimal | None,
    gross: Decimal | None,
    at: dict[int, datetime],
) -> RatedLine:
    component = usage.component
    line = RatedLine(
        kind=component.kind,
        quantity=usage.quantity,
        measured=usage.measured,
        price=component.price,
        excl_vat=net,
        incl_vat=gross,
        vat_percent=component.vat_percent,
        start_at=at[usage.start_s],
        end_at=at[usage.end_s],
        element=component.element,
        step_size=component.step_size,
        estimated=usage.estimated,
        tier=component.tier,
        parts=component.parts,
    )
    if component.kind is not LineKind.IDLE or compiled.idle is None:
        return line
    return replace(line, grace_s=compiled.idle.grace_s, capped=amount == compiled.idle.cap_minor)


def _limit(
    cdr: Cdr,
    compiled: CompiledTariff,
    lines: list[RatedLine],
    findings: list[Finding],
    net: Side,
    gross: Side,
) -> tuple[Side, Side]:
    """The totals within the tariff's limits; what each limit changes is added as a line and a finding."""
    vat = _one_rate(lines)
    rate = None if vat is None else millionths(vat)
    limited = within_limits(net, gross, compiled.min_price, compiled.max_price, compiled.floor, rate)
    for kind, new_net, new_gross in limited:
        changed = _difference(new_net, net), _difference(new_gross, gross)
        lines.append(_limit_line(cdr, compiled, kind, vat, *changed))
        code, text = _LIMIT_FINDINGS[kind]
        findings.append(Finding(code, kind.value, text))
        net, gross = new_net, new_gross
    return net, gross


def _one_rate(lines: list[RatedLine]) -> Decimal | None:
    """The VAT [%] that all lines share, those of no amount aside if any has one; None: they don't, or nobody stated it."""
    rates = {line.vat_percent for line in lines if line.excl_vat or line.incl_vat}
    rates = rates or {line.vat_percent for line in lines}
    return rates.pop() if len(rates) == 1 else None


def _limit_line(
    cdr: Cdr, compiled: CompiledTariff, kind: LineKind, vat: Decimal | None, net: Side, gross: Side
) -> RatedLine:
    """What a limit adds or takes away. It has the VAT rate of the other lines if they share one."""
    limits = {
        LineKind.FLOOR: compiled.floor, LineKind.MIN_PRICE: compiled.min_price, LineKind.MAX_PRICE: compiled.max_price
    }  # fmt: skip
    limit = limits[kind]
    assert limit is not None
    unit = from_minor(1, compiled.currency)
    written = limit.incl_vat if compiled.tax is TaxIncluded.YES else limit.excl_vat
    return RatedLine(
        kind=kind,
        quantity=1,
        measured=1,
        price=(limit.excl_vat if written is None else written) * unit,
        excl_vat=_decimal(net, unit),
        incl_vat=_decimal(gross, unit),
        vat_percent=vat,
        start_at=cdr.started_at,
        end_at=cdr.transaction_ended_at or (cdr.periods[-1].end_at if cdr.periods else cdr.started_at),
    )


def _difference(new: Side, old: Side) -> Side:
    return None if new is None or old is None else new - old


def _side(minors: list[int] | None, i: int, unit: Decimal) -> Decimal | None:
    return None if minors is None else minors[i] * unit


def _decimal(minor: int | None, unit: Decimal) -> Decimal | None:
    """So many minor units, one of which is `unit`: 0.01 for öre."""
    return None if minor is None else minor * unit
