"""Is a line known again under another reference, and never taken for one that says something else?"""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from laddbok.billing.same_entry import (
    DIFFERENCE,
    MOST_COMPARED,
    MOST_DAYS_APART,
    MOST_IN_SUM,
    PROOF,
    Line,
    held_against,
)

DAY = date(2026, 12, 4)


def line(reference: str, *marks: str, days: int = 0, amount: str = "500.00", is_doubted: bool = False) -> Line:
    return Line(
        reference=reference, amount=Decimal(amount), currency="SEK", booked_on=DAY + timedelta(days=days),
        marks=frozenset(marks), is_doubted=is_doubted,
    )  # fmt: skip


def test_what_is_proven_goes_before_what_is_in_doubt() -> None:
    found = held_against([line("a"), line("b", "e2e:1")], [line("t", "e2e:1")])
    assert (found["b"].same_as, found["a"].perhaps_same_as, found["a"].same_as) == ("t", (), None)


def test_a_doubted_line_is_doubted_once_and_can_still_be_proven() -> None:
    told = [line("t", "tx:1", is_doubted=True)]
    assert held_against([line("a")], told)["a"].perhaps_same_as == ()
    assert held_against([line("a", "tx:1")], told)["a"].same_as == "t"


def test_of_two_the_nearer_day_is_taken() -> None:
    found = held_against([line("a", days=1), line("b", days=4)], [line("t", days=4), line("u", days=1)])
    assert [found[each].perhaps_same_as for each in "ab"] == [("u",), ("t",)]


def test_too_many_of_one_amount_to_be_compared_are_in_doubt() -> None:
    told = [line(f"t{n:04}", f"ocr:{n}") for n in range(MOST_COMPARED + 1)]
    assert held_against([line("a", "ocr:x")], told[:-1])["a"].perhaps_same_as == ()
    assert held_against([line("a", "ocr:x")], told)["a"].perhaps_same_as == ("t0000",)


def test_a_shared_reference_with_another_amount_is_in_doubt() -> None:
    told = [line("t", "e2e:1", amount="1750.00"), line("out", "e2e:1", amount="-500.00")]
    found = held_against([line("a", "e2e:1"), line("b", "e2e:1", amount="1250.00"), line("c", "e2e:2")], told)
    assert [found[each].perhaps_same_as for each in "abc"] == [("t",), ("t",), ()]
    late = [line("t", "e2e:1", amount="1750.00", days=MOST_DAYS_APART + 1)]
    assert held_against([line("a", "e2e:1")], late)["a"].perhaps_same_as == ()


def test_several_lines_of_a_day_that_come_to_one_are_in_doubt_whichever_was_told_first() -> None:
    several = [line("a", "ocr:1"), line("b", "ocr:2", amount="1250.00"), line("c", amount="77.00"), line("d", days=1)]
    total = line("t", amount="1750.00")
    assert held_against([total], several)["t"].perhaps_same_as == ("a", "b")
    found = held_against(several, [total])
    assert [found[each].perhaps_same_as for each in "abcd"] == [("t",), ("t",), (), ()]
    named = line("t", "ocr:9", amount="1750.00")
    assert held_against([named], several)["t"].perhaps_same_as == (), "it pays something else"


def test_of_too_many_any_may_be_in_a_sum() -> None:
    many = [line(f"m{n:02}", amount=f"{n + 1}.00") for n in range(MOST_IN_SUM + 1)]
    names = tuple(each.reference for each in many)
    assert held_against([line("t", amount="66.00")], many)["t"].perhaps_same_as == names
    assert held_against([line("t", amount="60.00")], many)["t"].perhaps_same_as == names
    assert held_against([line("t", amount="66.01")], many)["t"].perhaps_same_as == ()


MARKS = st.frozensets(
    st.sampled_from([f"{kind}:{n}" for kind in ("bank", "tx", "e2e", "ocr") for n in (1, 2)]), max_size=3
)
LINES = st.lists(st.tuples(MARKS, st.integers(0, 9), st.sampled_from(["500.00", "1.00"])), max_size=6)


@given(LINES, LINES)
def test_each_line_is_one_told_line_at_most_and_never_one_that_says_something_else(
    ours: list[tuple[frozenset[str], int, str]], theirs: list[tuple[frozenset[str], int, str]]
) -> None:
    lines = [line(f"a{n}", *marks, days=days, amount=amount) for n, (marks, days, amount) in enumerate(ours)]
    told = {f"t{n}": line(f"t{n}", *marks, days=days, amount=amount) for n, (marks, days, amount) in enumerate(theirs)}
    found = held_against(lines, list(told.values()))
    used = [each.same_as for each in found.values() if each.same_as]
    assert len(used) == len(set(used))
    assert found.keys() == {each.reference for each in lines}
    for each in lines:
        sameness = found[each.reference]
        for name in filter(None, (sameness.same_as, *sameness.perhaps_same_as)):
            other = told[name]
            assert abs((other.booked_on - each.booked_on).days) <= MOST_DAYS_APART
            shared = {mark.partition(":")[0] for mark in each.marks & other.marks}
            is_one = bool(shared & PROOF) and other.amount == each.amount
            assert not sameness.same_as or is_one
            said, told_kinds = ({m.partition(":")[0] for m in one.marks} & DIFFERENCE for one in (each, other))
            assert shared & PROOF or said & told_kinds <= shared
