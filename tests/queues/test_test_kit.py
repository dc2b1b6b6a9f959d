"""The kit for people who write jobs: `queues.testing`."""

import threading
from collections.abc import Callable

import pytest

from queues import job, progress
from queues.definitions import registry
from queues.models import Attempt, Job
from queues.testing import JobFailed, assert_enqueued, assert_not_enqueued, drain, make_due, run_next
from tests.jobapp.jobs import enqueue_another, fail, record, record_mail
from tests.jobapp.models import Run

pytestmark = pytest.mark.django_db


def labels() -> list[str]:
    return list(Run.objects.order_by("pk").values_list("label", flat=True))


def test_drain_runs_what_is_due_and_what_that_enqueues():
    enqueue_another.enqueue(label="a")
    record_mail.enqueue(label="b")

    assert drain() == 3

    assert sorted(labels()) == ["a", "b"]
    assert set(Run.objects.values_list("thread", flat=True)) == {threading.current_thread().name}
    assert set(Job.objects.values_list("state", flat=True)) == {"completed"}


def test_drain_of_one_queue_leaves_the_others():
    record.enqueue(label="a")
    record_mail.enqueue(label="b")

    assert drain(queue="email") == 1

    assert labels() == ["b"]


def test_drain_does_not_run_early():
    record.using(run_after=60).enqueue(label="a")

    assert drain() == 0

    assert make_due(name="jobapp.record") == 1
    assert drain() == 1


def test_failing_job_fails_the_test_with_its_own_traceback():
    fail.enqueue(label="a")

    with pytest.raises(JobFailed, match=r"(?s)jobapp\.fail\(.*ValueError: no luck.*jobapp/jobs\.py.*raise"):
        drain()


def test_failing_job_is_let_pass_when_asked():
    fail.enqueue(label="a")

    assert drain(raises=False) == 1

    assert Attempt.objects.get().outcome == "retry"


@pytest.mark.parametrize("how", ["cancel", "snooze"])
def test_job_that_decides_its_own_fate_does_not_fail_the_test(how: str):
    fail.enqueue(label="a", how=how)

    assert drain() == 1


def test_drain_ends_a_job_that_enqueues_itself_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("queues.testing.LONGEST_DRAIN", 20)

    def echo() -> None:
        definition.enqueue()

    definition = job(queue="order", name="jobapp.echo")(echo)
    definition.enqueue()
    try:
        with pytest.raises(AssertionError, match=r"more than 20 jobs ran; the last was jobapp\.echo"):
            drain()
    finally:
        registry.forget("jobapp.echo")


def test_run_next_runs_one():
    record.enqueue(label="a")
    record.enqueue(label="b")

    ran = run_next()

    assert ran is not None
    assert (ran.state, ran.args) == ("completed", {"label": "a"})
    assert labels() == ["a"]
    assert run_next(queue="email") is None


def test_assert_enqueued_finds_a_job_by_part_of_its_arguments():
    result = fail.enqueue(label="a", how="cancel")

    assert assert_enqueued(fail, label="a").pk == result.id
    assert assert_enqueued(fail).pk == result.id


def test_assert_enqueued_lists_what_is_there_instead():
    # given the same job with other arguments, one that has run, and another job
    ran = record.enqueue(label="b").id
    drain()
    other, waiting = record_mail.enqueue(label="b").id, record.enqueue(label="a").id

    # when
    with pytest.raises(AssertionError) as failed:
        assert_enqueued(record, label="b")

    # then
    assert str(failed.value).splitlines()[:6] == [
        "jobapp.record(label='b') does not wait.",
        "Of jobapp.record there is:",
        f"  jobapp.record(label='b') #{ran}, completed",
        f"  jobapp.record(label='a') #{waiting}, waiting",
        "Besides, there waits:",
        f"  jobapp.record_mail(label='b') #{other}, waiting",
    ]


def test_assert_enqueued_lists_no_more_than_can_be_read():
    for number in range(30):
        record.enqueue(label=str(number))

    with pytest.raises(AssertionError, match=r"label='9'\) #\d+, waiting\n  \.\.\.\nBesides, there waits: nothing"):
        assert_enqueued(record, label="30")


def test_assert_enqueued_does_not_count_what_has_run():
    record.enqueue(label="a")
    drain()

    with pytest.raises(AssertionError, match=r"does not wait"):
        assert_enqueued(record)


def test_run_next_shows_how_a_job_stops_when_it_was_asked_to(define):
    def patient() -> str:
        progress(10, "half-way")
        if job.cancelled():
            raise ValueError("stopped")
        return "done"

    definition = define(patient)
    definition.enqueue()
    definition.enqueue()

    stopped = run_next(asked_to_stop=True, raises=False)
    done = run_next()

    assert stopped is not None
    assert (stopped.state, stopped.progress, stopped.error) == ("cancelled", 10, "ValueError: stopped")
    assert done is not None
    assert (done.state, done.result) == ("completed", "done")


@pytest.mark.parametrize("check", [assert_enqueued, assert_not_enqueued])
def test_argument_that_the_job_does_not_have_is_named(check: Callable[..., object]):
    record.enqueue(label="a")

    with pytest.raises(AssertionError, match=r"jobapp\.record takes label, not lable, order_id"):
        check(record, lable="a", order_id=1)


def test_assert_not_enqueued_lets_pass_what_does_not_wait():
    record.enqueue(label="ran")
    drain()
    record.enqueue(label="a")

    assert_not_enqueued(record, label="b")
    assert_not_enqueued(record, label="ran")
    assert_not_enqueued(record_mail)


@pytest.mark.parametrize("args", [{"label": "a"}, {}])
def test_assert_not_enqueued_names_the_job_that_waits(args: dict[str, str]):
    job_id = record.using(run_after=60).enqueue(label="a").id

    with pytest.raises(AssertionError, match=rf"jobapp\.record\(label='a'\) #{job_id}, waiting, due at \d{{4}}-"):
        assert_not_enqueued(record, **args)
