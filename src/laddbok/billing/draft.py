"""What stands on the invoice of a customer for a period?

Every position of the customer is a line per VAT rate, net as it was rated, with its kWh; VAT is taken on the sum. The
appendix tells each session with its price lines, what the meter showed and the root of its proof. The same positions
always make the same draft.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from laddbok.billing.books import with_day_rate
from laddbok.billing.late_terms import charges_of, parse_late_terms
from laddbok.billing.payment_terms import payment_terms
from laddbok.billing.totals import totals_of
from laddbok.model.billing import Customer, Position, SellerTerms
from laddbok.model.errors import Invalid
from laddbok.model.invoice import (
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Reference,
    SessionItem,
    Text,
    Unit,
    VatRate,
)
from laddbok.model.money import from_minor, split, to_minor
from laddbok.model.rated import LineKind, RatedLine, Rating

MONTHS = {
    "sv": ("jan", "feb", "mars", "april", "maj", "juni", "juli", "aug", "sept", "okt", "nov", "dec"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec"),
}


class Period(msgspec.Struct, frozen=True):
    """The first and the last day of what is billed, and when: dates of the seller."""

    start: date
    end: date
    issue: date
    due: date


def draft(
    terms: SellerTerms,
    customer: Customer,
    positions: Sequence[Position],
    period: Period,
    *,
    kind: InvoiceKind = InvoiceKind.INVOICE,
    charges: Sequence[InvoiceLine] = (),
    refers_to: Reference | None = None,
    reason: Text | None = None,
) -> Invoice:
    """The draft of a customer's document, without a number.

    Args: positions, in any order, all of one currency; charges, lines that no session stands behind, such as a month's fee.
    Raises: Invalid when a position can't be billed, for its VAT is not known, or the seller's terms can't be read.
    Source: ML 17 kap. 24 §; EN 16931; docs/rules.md "Invoice".
    """
    ordered = sorted(positions, key=lambda each: (each.cdr.started_at, each.session_id, each.revision))
    lines = _numbered([*charges, *(line for each in ordered for line in lines_of(each, kind))])
    sums, totals = totals_of([(line.vat, line.net) for line in lines], terms.currency, whole_units=customer.whole_units)
    sessions = tuple(_session(each, kind) for each in ordered)
    late, is_invoice = parse_late_terms(terms.late_terms), kind is InvoiceKind.INVOICE
    made = Invoice(
        kind=kind,
        seller=terms.seller,
        buyer=customer.buyer,
        contract_id=_the_one({each.contract_id for each in ordered}),
        period_start=period.start,
        period_end=period.end,
        issue_date=period.issue,
        due_date=period.due,
        currency=terms.currency,
        lines=lines,
        vat=sums,
        totals=totals,
        terms=payment_terms(_days(period), late, customer.buyer.kind, terms.currency) if is_invoice else None,
        refers_to=refers_to,
        reason=reason,
        sessions=sessions,
        sessions_gross=sum((each.gross for each in sessions if each.gross is not None), Decimal(0)),
        late=charges_of(late) if is_invoice else None,
    )
    return with_day_rate(made, terms)


def _days(period: Period) -> int:
    return (period.due - period.issue).days


def lines_of(position: Position, kind: InvoiceKind) -> Iterator[InvoiceLine]:
    """The lines of a session, one per VAT rate. In a credit note what is taken back stands as a positive amount.

    Raises: Invalid when its VAT is not known.
    """
    nets = nets_by_rate(position)
    sign = -1 if (position.kind == "credit") is not (kind is InvoiceKind.CREDIT_NOTE) else 1
    kwh = Decimal(position.cdr.energy_wh).scaleb(-3)
    in_kwh = len(nets) == 1 and kwh > 0 and _has_all_energy(position)
    zone = ZoneInfo(position.cdr.time_zone)
    ended_at = position.cdr.transaction_ended_at or position.cdr.started_at
    for percent, net in nets.items():
        turned = -sign if net < 0 else sign
        amount = abs(net)
        yield InvoiceLine(
            number=0,
            text=_told(position, kind),
            quantity=turned * (kwh if in_kwh else Decimal(1)),
            unit=Unit.KWH if in_kwh else Unit.ONE,
            unit_price=amount,
            per=kwh if in_kwh else Decimal(1),
            net=turned * amount,
            vat=VatRate(category="S" if percent else "E", percent=percent),
            start_date=position.cdr.started_at.astimezone(zone).date(),
            end_date=ended_at.astimezone(zone).date(),
            session_id=position.session_id,
            cost_centre=position.cost_centre,
            corrects=position.billed_on if kind is InvoiceKind.INVOICE else None,
        )


def _has_all_energy(position: Position) -> bool:
    """Whether what it comes to is for all of the session's energy, so that its kWh are the quantity."""
    if position.paid is None or position.paid.is_all:
        return True
    energy, mine = (
        [line for line in lines if line.kind is LineKind.ENERGY] for lines in (position.shown, position.rating.lines)
    )
    return bool(energy) and energy == mine


def nets_by_rate(position: Position) -> dict[Decimal, Decimal]:
    """The net amount under each VAT rate; what a price limit changed over several rates is shared out over them.

    Raises: Invalid when its VAT is not known.
    """
    nets: dict[Decimal, Decimal] = defaultdict(Decimal)
    shared = Decimal(0)
    for line in position.rating.lines:
        if line.excl_vat is None:
            raise Invalid(f"session {position.session_id}", "its price before VAT is not known")
        if line.vat_percent is not None:
            nets[line.vat_percent] += line.excl_vat
        elif line.excl_vat:
            shared += line.excl_vat
    if shared and not nets:
        raise Invalid(f"session {position.session_id}", "its VAT is not known")
    if shared:
        _share(nets, shared, position.rating.currency)
    return {percent: net for percent, net in nets.items() if net} or dict(list(nets.items())[:1])


def _share(nets: dict[Decimal, Decimal], shared: Decimal, currency: str) -> None:
    weights = [abs(to_minor(net, currency)) for net in nets.values()]
    for percent, part in zip(list(nets), _split(shared, weights, currency), strict=True):
        nets[percent] += part


def with_rates(rating: Rating) -> tuple[RatedLine, ...]:
    """The lines of a rating, each at one rate of VAT: what a price limit changed over several rates is a line for each.

    By rate they come to `nets_by_rate`. Args: rating, whose price and VAT are known.
    """
    nets: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in rating.lines:
        if line.vat_percent is not None:
            nets[line.vat_percent] += line.excl_vat or Decimal(0)
    weights = [abs(to_minor(net, rating.currency)) for net in nets.values()]
    lines: list[RatedLine] = []
    sums = [Decimal(0), Decimal(0)]
    before = [[Decimal(0)] * len(nets)] * 2
    for line in rating.lines:
        if line.vat_percent is not None or not nets or not (line.excl_vat or line.incl_vat):
            lines.append(line)
            continue
        sums = [total + (side or 0) for total, side in zip(sums, (line.excl_vat, line.incl_vat), strict=True)]
        after = [_split(total, weights, rating.currency) for total in sums]
        steps = [[new - old for new, old in zip(*each, strict=True)] for each in zip(after, before, strict=True)]
        before = after
        for percent, net, gross in zip(nets, *steps, strict=True):
            lines.append(msgspec.structs.replace(line, vat_percent=percent, excl_vat=net, incl_vat=gross))
    return tuple(lines)


def _split(amount: Decimal, weights: Sequence[int], currency: str) -> list[Decimal]:
    """An amount in parts like these weights; all of it to the first where they are nothing."""
    minor, whole = to_minor(amount, currency), sum(weights)
    parts = split(minor, [minor * weight for weight in weights], whole) if whole else [minor, *[0] * (len(weights) - 1)]
    return [from_minor(part, currency) for part in parts]


def _numbered(lines: Iterable[InvoiceLine]) -> tuple[InvoiceLine, ...]:
    return tuple(msgspec.structs.replace(line, number=number) for number, line in enumerate(lines, start=1))


def _told(position: Position, kind: InvoiceKind) -> Text:
    """When and where, in the local time of the place; of what an invoice takes back, from which document."""
    start_at = position.cdr.started_at.astimezone(ZoneInfo(position.cdr.time_zone))
    at = {
        language: f"{start_at.day} {months[start_at.month - 1]} {start_at:%Y %H:%M}, {position.place}"
        for language, months in MONTHS.items()
    }
    if kind is InvoiceKind.INVOICE and position.billed_on is not None:
        number = position.billed_on.number
        return Text(
            sv=f"Avgår: rättad laddning på faktura {number}, {at['sv']}",
            en=f"Less: corrected charging on invoice {number}, {at['en']}",
        )
    if position.paid is not None and not position.paid.is_all:
        name = position.paid.name
        return Text(sv=f"Del av laddning {at['sv']}: {name.sv}", en=f"Part of charging {at['en']}: {name.en}")
    return Text(sv=f"Laddning {at['sv']}", en=f"Charging {at['en']}")


def _session(position: Position, kind: InvoiceKind) -> SessionItem:
    sign = -1 if (position.kind == "credit") is not (kind is InvoiceKind.CREDIT_NOTE) else 1
    rating, document, paid = position.rating, position.cdr, position.paid
    assert rating.excl_vat is not None
    shown = position.shown or rating.lines
    part_of = None if paid is None or paid.is_all else sum((line.excl_vat or Decimal(0) for line in shown), Decimal(0))
    return SessionItem(
        session_id=position.session_id,
        revision=position.revision,
        kind=position.kind,
        place=position.place,
        station=position.station,
        started_at=document.started_at,
        ended_at=document.transaction_ended_at or document.last_contact_at or document.started_at,
        time_zone=document.time_zone,
        energy_wh=document.energy_wh,
        begin_wh=position.begin_wh,
        end_wh=position.end_wh,
        net=sign * rating.excl_vat,
        gross=None if rating.incl_vat is None else sign * rating.incl_vat,
        rated=shown,
        tax_included=rating.tax_included,
        driver=position.driver if paid is None or paid.names_driver else None,
        cost_centre=position.cost_centre,
        root=position.root,
        part_of=part_of,
    )


def _the_one(found: set[str | None]) -> str | None:
    return found.pop() if len(found) == 1 else None
