"""May a customer object to this, until when is it decided, and whose page does a link open?"""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.billing.dispute import DAYS, MAX_REASON_CHARS, MOST_DAYS, check_opening, deadline_of
from laddbok.billing.receipt_token import MAX_TOKEN_CHARS, is_genuine, named, token_of
from laddbok.model.errors import Invalid
from laddbok.model.invoice import InvoiceKind

TODAY = date(2026, 11, 25)
SECRET = b"0123456789abcdef0123456789abcdef"


def test_a_deadline_is_two_weeks_off_unless_another_day_is_said() -> None:
    assert deadline_of(TODAY) == TODAY + timedelta(days=DAYS)
    assert deadline_of(TODAY, TODAY) == TODAY
    assert deadline_of(TODAY, TODAY + timedelta(days=MOST_DAYS)) == date(2027, 5, 24)


@pytest.mark.parametrize("days", [-1, MOST_DAYS + 1])
def test_a_deadline_that_can_not_be_is_refused(days: int) -> None:
    with pytest.raises(Invalid, match="deadline"):
        deadline_of(TODAY, TODAY + timedelta(days=days))


@pytest.mark.parametrize("kind", list(InvoiceKind))
def test_what_nobody_owes_is_not_disputed(kind: InvoiceKind) -> None:
    if kind in (InvoiceKind.INVOICE, InvoiceKind.RECEIPT):
        assert check_opening(kind, "  the plug was locked ") == "the plug was locked"
    else:
        with pytest.raises(Invalid, match="nothing that a customer owes"):
            check_opening(kind, "why")


@pytest.mark.parametrize("reason", ["", " \n", "x" * (MAX_REASON_CHARS + 1)])
def test_a_dispute_says_why_in_a_page_at_most(reason: str) -> None:
    with pytest.raises(Invalid, match="reason"):
        check_opening(InvoiceKind.INVOICE, reason)


@given(
    st.integers(0, 999_999_999),
    st.text(st.characters(blacklist_characters="\0", codec="utf-8"), min_size=1, max_size=64),
)
def test_a_link_opens_the_page_that_it_was_made_for(tenant: int, invoice_id: str) -> None:
    token = token_of(tenant, invoice_id, SECRET)
    assert named(token) == (tenant, invoice_id)
    assert is_genuine(token, SECRET)
    assert not is_genuine(token, SECRET[::-1])


@given(st.data())
def test_a_link_that_was_changed_opens_nothing(data: st.DataObject) -> None:
    token = token_of(1, "norrladd-10000007", SECRET)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~.%"))
    changed = token[:place] + letter + token[place + 1 :]
    assert is_genuine(changed, SECRET) is (changed == token)


@given(st.text(max_size=MAX_TOKEN_CHARS + 10))
def test_any_text_is_a_link_to_nothing(text: str) -> None:
    assert not is_genuine(text, SECRET)
