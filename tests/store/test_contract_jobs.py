"""Do both stores queue, lease, repeat and give up work alike?"""

from datetime import timedelta

from laddbok.flow.changes import Job
from laddbok.flow.store import LEASE, MAX_ATTEMPTS
from tests.store.stores import Ground, commit, minutes, take


def job(ground: Ground, key: str = "s", due_min: float = 0) -> Job:
    return Job(tenant=ground.tenant, kind="settle", key=key, due_at=minutes(due_min))


def test_due_jobs_are_leased_to_one_worker_until_the_lease_runs_out(ground: Ground) -> None:
    commit(ground, jobs=[job(ground, "late", 5), job(ground, "b", 0), job(ground, "a", -1)])
    assert [each.job.key for each in take(ground, limit=1)] == ["a"]
    [second] = take(ground)
    assert (second.job, second.attempts, second.requests) == (job(ground, "b", 0), 1, 1)
    assert take(ground) == []
    assert {each.job.key for each in take(ground, LEASE / timedelta(minutes=1))} == {"a", "b", "late"}


def test_a_finished_job_is_gone_and_one_that_shall_come_again_comes(ground: Ground) -> None:
    commit(ground, jobs=[job(ground)])
    [leased] = take(ground)
    ground.run(ground.store.finish_job(leased, minutes(7)))
    assert take(ground, 6) == []
    [leased] = take(ground, 7)
    assert leased.attempts == 1
    ground.run(ground.store.finish_job(leased))
    assert take(ground, 99) == []


def test_the_same_work_is_queued_once_at_the_earlier_time(ground: Ground) -> None:
    commit(ground, jobs=[job(ground, due_min=9), job(ground, due_min=5)])
    commit(ground, jobs=[job(ground, due_min=3)])
    commit(ground, jobs=[job(ground, due_min=4)])
    assert take(ground, 2) == []
    [leased] = take(ground, 3)
    ground.run(ground.store.finish_job(leased))
    assert take(ground, 99) == []


def test_work_that_is_queued_while_it_runs_runs_again(ground: Ground) -> None:
    commit(ground, jobs=[job(ground)])
    [leased] = take(ground)
    commit(ground, jobs=[job(ground, due_min=2)])
    ground.run(ground.store.finish_job(leased))
    assert take(ground, 1) == []
    [again] = take(ground, 2)
    ground.run(ground.store.finish_job(again))
    assert take(ground, 99) == []


def test_work_that_is_queued_while_it_runs_comes_at_the_earlier_time(ground: Ground) -> None:
    for again_min, queued_min, first_min in ((60, 2, 2), (2, 60, 2)):
        commit(ground, jobs=[job(ground)])
        [leased] = take(ground)
        commit(ground, jobs=[job(ground, due_min=queued_min)])
        ground.run(ground.store.finish_job(leased, minutes(again_min)))
        assert take(ground, first_min - 1) == []
        [again] = take(ground, first_min)
        ground.run(ground.store.finish_job(again))


def test_work_that_is_queued_during_its_last_attempt_is_not_given_up(ground: Ground) -> None:
    commit(ground, jobs=[job(ground)])
    now = minutes(0)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        [leased] = ground.run(ground.store.take_jobs("worker", now, 9))
        if attempt == MAX_ATTEMPTS:
            commit(ground, jobs=[Job(tenant=ground.tenant, kind="settle", key="s", due_at=now)])
        ground.run(ground.store.fail_job(leased, "no", now))
        now += timedelta(days=1)
    [leased] = ground.run(ground.store.take_jobs("worker", now, 9))
    assert leased.attempts == 1


def test_a_failed_job_comes_later_each_time_and_is_given_up_at_last(ground: Ground) -> None:
    commit(ground, jobs=[job(ground)])
    now = minutes(0)
    waits = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        [leased] = ground.run(ground.store.take_jobs("worker", now, 9))
        assert leased.attempts == attempt
        ground.run(ground.store.fail_job(leased, "no", now))
        waits.append(2 * 2**attempt)
        assert ground.run(ground.store.take_jobs("worker", now + timedelta(seconds=waits[-1] - 1), 9)) == []
        now += timedelta(seconds=waits[-1])
    assert ground.run(ground.store.take_jobs("worker", now + timedelta(days=9), 9)) == []


def test_queueing_again_revives_what_was_given_up(ground: Ground) -> None:
    commit(ground, jobs=[job(ground)])
    now = minutes(0)
    for _ in range(MAX_ATTEMPTS):
        [leased] = ground.run(ground.store.take_jobs("worker", now, 9))
        ground.run(ground.store.fail_job(leased, "no", now))
        now += timedelta(days=1)
    commit(ground, jobs=[job(ground, due_min=0)])
    [leased] = ground.run(ground.store.take_jobs("worker", now, 9))
    assert leased.attempts == 1
