"""What is paid back for a month of charging at home?

The sessions of a contract at its home that ended in the month, each with the energy of its CDR, the registers of the meter and the
price of the day on which it began. The total is the sum of its lines.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from laddbok.flow.statements import Ground, counted, differences
from laddbok.model.home_charging import HomeTerms
from laddbok.model.refund import Refund
from laddbok.model.statement import HomeStatement
from laddbok.rating.reimbursement import reimburse


def draw_statement(ground: Ground, terms: HomeTerms, driver: str, before: HomeStatement | None) -> HomeStatement:
    """The statement of a month, as the revision after `before`.

    Raises: Invalid naming the day that no price covers.
    Source: our choice, docs/rules.md "Home charging"; case B11.
    """
    drawn = HomeStatement(
        head=ground.head(before.head.revision + 1 if before else 1, terms.language), terms_version=ground.terms_version,
        driver=driver, refund=_refund(ground, terms), sessions=counted(ground), waiting=ground.waiting,
    )  # fmt: skip
    if before is None:
        return drawn
    changes = differences(_by_session(before), _by_session(drawn), "session_id")
    return msgspec.structs.replace(drawn, changes=tuple(changes))


def _refund(ground: Ground, terms: HomeTerms) -> Refund:
    """With the registers of the meter on each line."""
    refund = reimburse((each.cdr for each in ground.sessions if each.cdr is not None), terms.prices, ground.currency)
    registers = {each.session_id: (each.begin_wh, each.end_wh) for each in ground.sessions}
    lines = tuple(
        msgspec.structs.replace(line, begin_wh=registers[line.session_id][0], end_wh=registers[line.session_id][1])
        for line in refund.lines
    )
    return msgspec.structs.replace(refund, lines=lines)


def _by_session(of: HomeStatement) -> Mapping[str, tuple[int, Decimal | None]]:
    return {line.session_id: (line.energy_wh, line.amount) for line in of.refund.lines}
