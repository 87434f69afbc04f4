"""Which decision of a person counts, and what of the earlier ones stays?"""

from decimal import Decimal

from laddbok.flow.charge_to_cash import price
from laddbok.model.session import Verdict, VerdictKind
from laddbok.model.tariff import parse_tariff
from laddbok.sessions.close import cdr
from laddbok.sessions.review import judged, last_verdict
from tests.rules.sessions.stage import Stage, tariff_document


def corrected(**values: object) -> Verdict:
    return Verdict(kind=VerdictKind.CORRECT, reason="seen", **values)  # type: ignore[arg-type]


def test_later_corrections_add_to_earlier_ones() -> None:
    last = last_verdict([corrected(energy_wh=5_000), corrected(token="04A1", contract_id="c-1")])
    assert last == corrected(energy_wh=5_000, token="04A1", contract_id="c-1")


def test_another_token_does_not_keep_the_contract_of_the_one_before() -> None:
    last = last_verdict([corrected(token="04A1", contract_id="c-1"), corrected(token="04B2")])
    assert last == corrected(token="04B2")


def test_an_energy_that_took_no_time_is_billed_all_the_same() -> None:
    stage = Stage()
    stage.starts_16(1000)
    stage.stops_16(1000, after_s=0)
    session = stage.settle()
    assert (session.energy_wh, session.started_at) == (0, session.transaction_ended_at)
    given = judged(session, corrected(energy_wh=5_000))
    assert (given.energy_wh, cdr(given).energy_wh) == (5_000, 5_000)
    rating = price(cdr(given), parse_tariff(tariff_document()))
    assert (rating.incl_vat, rating.final) == (Decimal("20.00"), True)
