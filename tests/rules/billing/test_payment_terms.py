"""Does an invoice say only what was agreed about paying late?"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from laddbok.billing.draft import draft
from laddbok.billing.examples import COMPANY, OCTOBER, POSITION, SELLER
from laddbok.billing.late_terms import LateTerms
from laddbok.billing.payment_terms import payment_terms
from laddbok.model.errors import Invalid
from laddbok.model.invoice import BuyerKind

ALL = LateTerms(reminder_fee=Decimal(60), compensation=Decimal(450), interest_points=Decimal(8))


def test_nothing_is_threatened_with_that_was_not_agreed() -> None:
    told = payment_terms(30, LateTerms(), BuyerKind.COMPANY, "SEK")
    assert (told.sv, told.en) == ("Betalas inom 30 dagar.", "To be paid within 30 days.")


def test_a_consumer_never_owes_the_compensation() -> None:
    company, consumer = (payment_terms(30, ALL, kind, "SEK").sv for kind in (BuyerKind.COMPANY, BuyerKind.CONSUMER))
    assert company.endswith("; påminnelseavgift 60,00 kr; förseningsersättning 450,00 kr, enligt avtal.")
    assert consumer.endswith("; påminnelseavgift 60,00 kr, enligt avtal.")
    assert "referensräntan + 8 procentenheter" in consumer


def test_what_is_due_at_once_says_so() -> None:
    assert payment_terms(0, LateTerms(), BuyerKind.COMPANY, "SEK").en == "To be paid at once."


def test_the_draft_has_the_terms_of_its_seller_and_names_one_that_is_none() -> None:
    agreed = replace(SELLER, late_terms={"reminder_fee": "60"})
    terms = draft(agreed, COMPANY, [POSITION], OCTOBER).terms
    assert terms is not None
    assert terms.sv == "Betalas inom 30 dagar. Därefter påminnelseavgift 60,00 kr, enligt avtal."
    with pytest.raises(Invalid, match=r"late_terms\.coffee"):
        draft(replace(SELLER, late_terms={"coffee": "1"}), COMPANY, [POSITION], OCTOBER)
