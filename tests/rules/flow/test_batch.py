"""Does the line between sockets and store keep order, and its bounds?"""

from hypothesis import given
from hypothesis import strategies as st

from laddbok.flow.batch import Batch


def test_the_order_of_a_station_is_kept_and_it_is_once_in_a_batch() -> None:
    batch: Batch[str] = Batch()
    for station, entry in ((1, "a1"), (2, "b1"), (1, "a2"), (1, "a3"), (2, "b2")):
        assert batch.offer(station, entry)
    taken = []
    while entries := batch.next_batch():
        taken.append(entries)
        batch.committed()
    assert taken == [["a1", "b1"], ["a2", "b2"], ["a3"]]
    assert len(batch) == 0


def test_nothing_more_goes_while_a_commit_is_under_way() -> None:
    batch: Batch[str] = Batch()
    batch.offer(1, "a1")
    assert batch.next_batch() == ["a1"]
    batch.offer(1, "a2")
    batch.offer(2, "b1")
    assert batch.next_batch() == []
    batch.committed()
    assert sorted(batch.next_batch()) == ["a2", "b1"]


def test_a_batch_is_bounded_and_nobody_waits_for_ever() -> None:
    batch: Batch[int] = Batch(max_entries=2)
    for station in range(5):
        batch.offer(station, station)
        batch.offer(station, 10 + station)
    taken = []
    while entries := batch.next_batch():
        taken.append(entries)
        batch.committed()
    assert taken == [[0, 1], [2, 3], [4, 10], [11, 12], [13, 14]]


def test_what_is_too_much_is_refused_until_there_is_room() -> None:
    batch: Batch[str] = Batch(max_waiting=2)
    assert [batch.offer(1, entry) for entry in ("a", "b", "c")] == [True, True, False]
    batch.next_batch()
    assert batch.offer(1, "c") and not batch.offer(1, "d")
    batch.committed()
    assert (batch.next_batch(), len(batch)) == (["b"], 1)


def test_what_is_forgotten_never_goes() -> None:
    batch: Batch[str] = Batch()
    for station, entry in ((1, "a1"), (2, "b1"), (1, "a2")):
        batch.offer(station, entry)
    assert batch.forget(1) == ["a1", "a2"]
    assert batch.forget(1) == [] and batch.forget(9) == []
    assert batch.next_batch() == ["b1"]


def test_forgetting_a_station_under_way_drops_what_waits_behind_it() -> None:
    batch: Batch[str] = Batch()
    for entry in ("a1", "a2"):
        batch.offer(1, entry)
    assert batch.next_batch() == ["a1"]
    assert batch.forget(1) == ["a2"]
    batch.offer(1, "new")
    assert batch.next_batch() == []
    batch.committed()
    assert batch.next_batch() == ["new"]


def test_what_is_postponed_stands_first_again() -> None:
    batch: Batch[str] = Batch()
    for station, entry in ((1, "a1"), (2, "b1"), (1, "a2")):
        batch.offer(station, entry)
    first = batch.next_batch()
    batch.offer(3, "c1")
    batch.postponed()
    assert first == ["a1", "b1"] and len(batch) == 4
    assert batch.next_batch() == ["a1", "b1", "c1"]
    batch.committed()
    assert batch.next_batch() == ["a2"]


moves = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.integers(1, 4)),
        st.tuples(st.just("forget"), st.integers(1, 4)),
        st.sampled_from([("take", 0), ("committed", 0), ("postponed", 0)]),
    ),
    max_size=60,
)


@given(moves)
def test_nothing_is_lost_doubled_or_out_of_order(steps: list[tuple[str, int]]) -> None:
    batch: Batch[tuple[int, int]] = Batch(max_entries=2, max_waiting=6)
    waiting: dict[int, list[int]] = {station: [] for station in range(1, 5)}
    under_way: list[tuple[int, int]] = []
    for number, (step, station) in enumerate(steps):
        if step == "offer":
            room = sum(map(len, waiting.values())) < 6
            assert batch.offer(station, (station, number)) == room
            waiting[station] += [number] if room else []
        elif step == "forget":
            assert batch.forget(station) == [(station, each) for each in waiting[station]]
            waiting[station] = []
        elif step == "take":
            taken = batch.next_batch()
            assert not (under_way and taken) and len(taken) <= 2
            assert len({each for each, _ in taken}) == len(taken)
            for each, entry in taken:
                assert waiting[each].pop(0) == entry
            under_way = under_way or taken
        elif step == "committed":
            batch.committed()
            under_way = []
        else:
            batch.postponed()
            for each, entry in under_way:
                waiting[each].insert(0, entry)
            under_way = []
        assert len(batch) == sum(map(len, waiting.values()))
