"""What does a host get for a month?

For each of its sites and agreements: a line for the energy, one for the part of what sessions cost before VAT, one for the
month. Each is rounded once, to the öre; VAT is taken on the sum, if the host is registered. What was credited since is taken off.

>>> from laddbok.model.host import HostTerms
>>> use = SiteUse(site="Brf Eken", terms=HostTerms(per_kwh=Decimal("0.60"), percent_of_net=Decimal(10)), energy_wh=12_345,
...     net=Decimal("55.55"), fixed=Decimal(0))
>>> [(line.text.en, line.quantity, line.net) for line in host_lines([use], "SEK", is_registered=True)]
[('Energy, Brf Eken', Decimal('12.345'), Decimal('7.41')), ('10 % of 55.55 before VAT, Brf Eken', Decimal('1'), Decimal('5.56'))]
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from laddbok.billing.books import with_day_rate
from laddbok.billing.draft import Period
from laddbok.billing.totals import totals_of
from laddbok.model.billing import SellerTerms
from laddbok.model.host import HostTerms
from laddbok.model.invoice import (
    Buyer,
    BuyerKind,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Seller,
    Text,
    Unit,
    VatRate,
)
from laddbok.model.money import round_money


class SiteUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a site's sessions took and cost before VAT under an agreement, and the month's fixed part of it."""

    site: str
    terms: HostTerms
    energy_wh: int
    net: Decimal
    fixed: Decimal


def host_lines(uses: Sequence[SiteUse], currency: str, *, is_registered: bool) -> tuple[InvoiceLine, ...]:
    """The lines of a host's statement; none of them is 0.

    Args: is_registered, whether the host is registered for VAT.
    Source: our choice, docs/rules.md "Hosts".
    """
    lines = (line for use in uses for line in _of_site(use, currency, is_registered=is_registered))
    return tuple(msgspec.structs.replace(line, number=number) for number, line in enumerate(lines, start=1))


def statement(
    terms: SellerTerms, host: Seller, uses: Sequence[SiteUse], period: Period, *, is_registered: bool
) -> Invoice | None:
    """The draft of a self-billed statement: the host sells, we write it; None when it comes to nothing.

    Source: ML (2023:200) 17 kap. 15 § (self-billing); docs/rules.md "Hosts".
    """
    lines = host_lines(uses, terms.currency, is_registered=is_registered)
    if not lines:
        return None
    sums, totals = totals_of([(line.vat, line.net) for line in lines], terms.currency)
    made = Invoice(
        kind=InvoiceKind.SELF_BILLED,
        seller=host,
        buyer=_as_buyer(terms.seller),
        period_start=period.start,
        period_end=period.end,
        issue_date=period.issue,
        due_date=period.due,
        currency=terms.currency,
        lines=lines,
        vat=sums,
        totals=totals,
    )
    return with_day_rate(made, terms)


def _as_buyer(seller: Seller) -> Buyer:
    names = ("id", "name", "address", "organisation_number", "vat_number", "email", "endpoint")
    return Buyer(kind=BuyerKind.COMPANY, **{name: getattr(seller, name) for name in names})


def _of_site(use: SiteUse, currency: str, *, is_registered: bool) -> Iterator[InvoiceLine]:
    terms, kwh = use.terms, Decimal(use.energy_wh).scaleb(-3)
    vat = VatRate(percent=terms.vat) if is_registered and terms.vat else VatRate(category="O", percent=Decimal(0))
    energy = round_money(kwh * terms.per_kwh, currency)
    if energy:
        text = Text(sv=f"Energi, {use.site}", en=f"Energy, {use.site}")
        yield _line(text, abs(kwh), Unit.KWH, energy, vat, terms.per_kwh)
    part = round_money(use.net * terms.percent_of_net / 100, currency)
    if part:
        share = f"{terms.percent_of_net.normalize():f} %"
        text = Text(sv=f"{share} av {use.net} före moms, {use.site}", en=f"{share} of {use.net} before VAT, {use.site}")
        yield _line(text, Decimal(1), Unit.ONE, part, vat, abs(part))
    if use.fixed:
        text = Text(sv=f"Fast del, {use.site}", en=f"Fixed part, {use.site}")
        yield _line(text, Decimal(1), Unit.ONE, use.fixed, vat, abs(use.fixed))


def _line(text: Text, quantity: Decimal, unit: Unit, net: Decimal, vat: VatRate, price: Decimal) -> InvoiceLine:
    """What is taken back, because it was credited since, has a negative quantity."""
    turned = -quantity if net < 0 else quantity
    return InvoiceLine(number=0, text=text, quantity=turned, unit=unit, unit_price=price, net=net, vat=vat)
