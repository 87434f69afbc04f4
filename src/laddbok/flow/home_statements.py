"""What is paid back for a month of charging at home?

The sessions of a contract at its home that ended in the month, each with the energy of its CDR, the registers of the meter and the
price of the day on which it began. The total is the sum of its lines.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from laddbok.flow.statements import Ground, counted, differences
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.home_charging import HomeTerms
from laddbok.model.money import from_minor
from laddbok.model.refund import Refund
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.statement import HomeStatement
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.reimbursement import reimburse, reimburse_by_tariff


class TariffVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the tariff that pays back, from when to when it holds, and the market's prices if it needs them."""

    valid_from: datetime
    valid_to: datetime | None
    compiled: CompiledTariff
    spot: SpotPrices | None = None


def draw_statement(
    ground: Ground, terms: HomeTerms, driver: str, before: HomeStatement | None, versions: Sequence[TariffVersion] = ()
) -> HomeStatement:
    """The statement of a month, as the revision after `before`.

    Args: versions, of the tariff that was agreed, the oldest first; none where prices were.
    Raises: Invalid naming the day that no price covers, or the session that no version of the tariff prices.
    Source: our choice, docs/rules.md "Home charging"; case B11.
    """
    drawn = HomeStatement(
        head=ground.head(before.head.revision + 1 if before else 1, terms.language), terms_version=ground.terms_version,
        driver=driver, refund=_refund(ground, terms, versions), sessions=counted(ground), waiting=ground.waiting,
    )  # fmt: skip
    if before is None:
        return drawn
    changes = differences(_by_session(before), _by_session(drawn), "session_id")
    return msgspec.structs.replace(drawn, changes=tuple(changes))


def _refund(ground: Ground, terms: HomeTerms, versions: Sequence[TariffVersion]) -> Refund:
    """With the registers of the meter on each line."""
    cdrs = [each.cdr for each in ground.sessions if each.cdr is not None]
    if terms.tariff_id is None:
        refund = reimburse(cdrs, terms.prices, ground.currency)
    else:
        refund = _by_tariff(cdrs, versions, ground.currency)
    registers = {each.session_id: (each.begin_wh, each.end_wh) for each in ground.sessions}
    lines = tuple(
        msgspec.structs.replace(line, begin_wh=registers[line.session_id][0], end_wh=registers[line.session_id][1])
        for line in refund.lines
    )
    return msgspec.structs.replace(refund, lines=lines)


def _by_tariff(cdrs: Sequence[Cdr], versions: Sequence[TariffVersion], currency: str) -> Refund:
    """Each session by the version that held when it began (case B9)."""
    refunds = []
    for cdr in cdrs:
        begun = [each for each in versions if each.valid_from <= cdr.started_at]
        if not begun or (begun[-1].valid_to is not None and begun[-1].valid_to <= cdr.started_at):
            raise Invalid("tariff_id", f"no version holds when session {cdr.session_id} began")
        if begun[-1].compiled.currency != currency:
            raise Invalid("tariff_id", f"is in {begun[-1].compiled.currency}, not in {currency}")
        refunds.append(reimburse_by_tariff([cdr], begun[-1].compiled, begun[-1].spot))
    return Refund(
        currency=currency,
        lines=tuple(line for each in refunds for line in each.lines),
        energy_wh=sum(each.energy_wh for each in refunds),
        total=sum((each.total for each in refunds), from_minor(0, currency)),
    )


def _by_session(of: HomeStatement) -> Mapping[str, tuple[int, Decimal | None]]:
    return {line.session_id: (line.energy_wh, line.amount) for line in of.refund.lines}
