"""Does the right thing follow from whatever a provider says, in whatever order?"""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from laddbok.flow.card_payments import ENDED, Cost, Hold, HoldDo, Request, after, hold_step
from laddbok.flow.payment_provider import ProviderState, ProviderStatus

STATUSES = st.sampled_from([each for each in ProviderStatus if each is not ProviderStatus.FAILED])


@given(st.lists(st.tuples(STATUSES, st.integers(0, 200_000)), max_size=20))
def test_B56_whatever_is_told_in_whatever_order_it_is_paid_once_at_most_and_ends_for_good(
    told: list[tuple[ProviderStatus, int]],
) -> None:
    state, paid = "asked", 0
    for status, age_s in told:
        request = Request(state=state, amount=Decimal(50), currency="SEK", age=timedelta(seconds=age_s))
        step = after(request, ProviderState(status=status, amount=Decimal(50)))
        if step.paid is not None:
            assert step.is_too_late is (state in ENDED)
            paid += not step.is_too_late
        assert step.state is None or state not in ENDED
        state = step.state or state
    assert paid <= 1
    assert (state == "paid") is (paid == 1)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.booleans())
def test_B46_no_step_takes_more_than_is_held(cost: int, amount: int, is_final: bool) -> None:
    hold = Hold(state="held", amount=Decimal(amount), held=Decimal(amount))
    told = ProviderState(status=ProviderStatus.HELD, amount=Decimal(amount))
    step = hold_step(hold, told, Cost(amount=Decimal(cost), is_final=is_final))
    if step.do is HoldDo.CAPTURE:
        assert 0 < step.amount <= amount and step.amount + step.not_covered == cost
    assert (step.do is HoldDo.RELEASE) is (is_final and not cost)
    assert (step.do is HoldDo.STOP) is (not is_final and cost > amount)
