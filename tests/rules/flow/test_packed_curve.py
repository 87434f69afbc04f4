"""Is the curve of a finished session kept as its frames told it?"""

from hypothesis import given
from hypothesis import strategies as st

from laddbok.flow.decide import SETTLE
from laddbok.flow.packed_curve import PACK, Point, ms, packed, unpack
from laddbok.model.session import SessionState
from laddbok.workers.pack import Packer
from laddbok.workers.settle import Settler
from tests.rules.sessions.stage import Stage, step

numbers = st.integers(min_value=-(2**53), max_value=2**53)


def charged() -> Stage:
    """A session with three readings, while somebody else charges at the other outlet."""
    stage = Stage()
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.reads_16(700_000, transaction_id=None, connectorId=2)
    stage.stops_16(4000)
    return stage


def do_jobs(stage: Stage, kind: str) -> None:
    """The worker does all jobs of a kind, when they are due."""
    does = {SETTLE: Settler(stage.store, lambda: stage.now), PACK: Packer(stage.store, lambda: stage.now)}[kind]
    stage.now = max(stage.now, *(row.job.due_at for row in stage.store.jobs.rows.values()))
    for leased in step(stage.store.take_jobs("worker", stage.now, 8)):
        assert leased.job.kind == kind
        assert step(does(leased)) is None
        step(stage.store.finish_job(leased))


def test_a_session_that_is_settled_has_its_curve_packed() -> None:
    stage = charged()
    session = stage.session()
    do_jobs(stage, SETTLE)
    assert stage.session().state is SessionState.SETTLED and not stage.store.curves
    do_jobs(stage, PACK)
    series = unpack(stage.store.curves[1, session.id])
    assert [value for _, value in series["register_wh"]] == [1000, 2000, 4000]
    assert series["register_wh"][0][0] == ms(session.started_at)


def test_packing_once_more_gives_the_same() -> None:
    stage = charged()
    do_jobs(stage, SETTLE)
    do_jobs(stage, PACK)
    first = dict(stage.store.curves)
    stage.status_16("Available")
    do_jobs(stage, SETTLE)
    do_jobs(stage, PACK)
    assert stage.store.curves == first


@given(st.dictionaries(st.sampled_from(["power_w", "soc_pct"]), st.sets(st.tuples(numbers, numbers), min_size=1)))
def test_any_points_come_back_in_order_of_time(series: dict[str, set[Point]]) -> None:
    assert unpack(packed(series)) == {name: sorted(points) for name, points in series.items()}


def test_an_even_curve_takes_little_room() -> None:
    points = {(60_000 * n, 1_000 + 100 * n) for n in range(10_000)}
    assert len(packed({"register_wh": points})) < 1_000
