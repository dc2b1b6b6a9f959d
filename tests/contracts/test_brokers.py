"""One suite for every broker: however offers reach the workers, jobs are limited, ordered and controlled the same."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import psutil
import pytest

from queues import JobDefinition, ledger
from queues.models import Attempt, Job, Worker
from queues.ops import actions
from tests.contracts.brokers import BROKERS
from tests.jobapp.jobs import block, compute, crash_in_company, fail, record, record_mail, take_a_moment, wait_for_gate
from tests.jobapp.models import Run
from tests.jobapp.reporting import obey_in_child, obey_in_thread, report_in_child, report_in_thread
from tests.processes import Processes, Started, wait_for
from tests.queues.facts import open_gate, runs, states, wait_for_workers

StartWorker = Callable[..., Started]
SECOND = timedelta(seconds=1)
LONG_LEASE = {"QUEUE_LEASE": "8"}  # where a worker that stands still for seconds must not be taken for dead


@pytest.fixture(params=BROKERS)
def start_worker(request: pytest.FixtureRequest, processes: Processes) -> StartWorker:
    """Starts a worker of a type, `start_worker("email")`, on the broker whose turn it is."""

    def start(worker_type: str, **environment: str) -> Started:
        return processes.manage("work", worker_type, **{"LOG_LEVEL": "WARNING"} | BROKERS[request.param] | environment)

    return start


def starts(queue: str) -> list[datetime]:
    moments = Job.objects.filter(queue=queue).values_list("started_at", flat=True)
    return [at for at in moments if at]


def most_in_any_second(moments: Sequence[datetime]) -> int:
    """The largest number of these moments that lie within one second, wherever it begins."""
    ordered, most, first = sorted(moments), 0, 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= SECOND:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_rate_holds_over_three_processes_and_is_used(start_worker: StartWorker):
    # given three workers, 800 mails whose queue allows 100 starts a second, and 500 jobs of a queue without a rate
    ledger.enqueue([record_mail.request({"label": str(number)}) for number in range(800)])
    for _ in range(3):
        start_worker("all")
    wait_for(lambda: states() == {"completed": 800}, within=60)
    ledger.enqueue([record.request({"label": str(number)}) for number in range(500)])
    wait_for(lambda: states() == {"completed": 1300}, within=60)

    # then no second saw more than 100 mails, and a good one nearly as many, or what a busy machine can do
    mails, others = starts("email"), starts("order")
    assert min(90, most_in_any_second(others) / 4) <= most_in_any_second(mails) <= 100
    assert Run.objects.values("pid").distinct().count() == 3


def test_global_queue_runs_one_job_over_three_processes_also_when_one_is_killed(start_worker: StartWorker):
    # given three workers of a queue with one job at once over all, and one of them running
    review = wait_for_gate.using(queue_name="manual-review")
    for number in range(6):
        review.enqueue(label=f"review {number}", gate="g")
    workers = {worker.pid: worker for worker in [start_worker("order", **LONG_LEASE) for _ in range(3)]}
    wait_for_workers(3)
    first = wait_for(Run.objects.first)

    # when it is killed, and the gate opens
    workers[psutil.Process(first.pid).ppid()].kill()
    open_gate("g")
    wait_for(lambda: states() == {"completed": 6})

    # then the six ran one after the other, the first of them twice
    runs = list(Run.objects.order_by("started_at"))
    assert [run.label for run in runs].count(first.label) == 2
    assert len(runs) == 7
    whole = [run for run in runs if run.ended_at]
    assert all(before.ended_at <= after.started_at for before, after in pairwise(whole) if before.ended_at)


def test_high_priority_overtakes_five_thousand_low_ones(start_worker: StartWorker):
    # given a worker in the midst of 5,000 jobs of 20 ms
    low = take_a_moment.using(priority=-1)
    ledger.enqueue([low.request({"label": str(number)}) for number in range(5000)])
    start_worker("order")
    wait_for(lambda: states().get("completed", 0) >= 200)

    # when an urgent one is written
    urgent = Job.objects.get(pk=take_a_moment.using(priority=5).enqueue(label="urgent").id)
    wait_for(lambda: Job.objects.filter(pk=urgent.pk, state="completed").exists())

    # then it started within two seconds' work of ten threads
    urgent.refresh_from_db()
    between = Job.objects.filter(priority=-1, started_at__range=(urgent.created_at, urgent.started_at))
    assert between.count() < 2 * 10 / 0.020


def test_jobs_end_as_they_say(start_worker: StartWorker):
    # given one job for each way to end, and one for each way to start
    failing = {how: fail.enqueue(label=how, how=how).id for how in ("error", "permanent", "cancel", "snooze", "exit")}
    others = {
        "now": record.enqueue(label="now"),
        "delayed": record.using(run_after=1.5).enqueue(label="delayed"),
        "in a child": compute.enqueue(label="child"),
        "under a key": record.using(key="k", run_after=60).enqueue(label="k"),
        "under the same key": record.using(key="k").enqueue(label="k again"),
    }
    record.cancel(key="k")
    ids = failing | {name: handle.id for name, handle in others.items()}
    assert ids["under a key"] == ids["under the same key"]

    # when workers run them, and one is taken down by a job
    for _ in range(2):
        start_worker("order", QUEUE_ORDER_BACKOFF_TYPE="fixed", QUEUE_ORDER_BACKOFF_DELAY="50", **LONG_LEASE)
    live = Job.objects.filter(state__in=("waiting", "active")).exclude(pk=ids["snooze"])
    wait_for(lambda: not live.exists())
    ids["crashing"] = crash_in_company.enqueue(label="crash").id
    wait_for(lambda: not live.exists())

    # then each came to its end
    jobs = Job.objects.in_bulk(ids.values())
    assert {name: lives(jobs[job_id]) for name, job_id in ids.items()} == {
        "error": ("failed", ["retry", "retry", "failed"]),
        "exit": ("failed", ["retry", "retry", "failed"]),
        "permanent": ("failed", ["failed"]),
        "cancel": ("cancelled", ["cancelled"]),
        "snooze": ("waiting", ["snoozed"]),
        "now": ("completed", ["completed"]),
        "delayed": ("completed", ["completed"]),
        "in a child": ("completed", ["completed"]),
        "under a key": ("cancelled", []),
        "under the same key": ("cancelled", []),
        "crashing": ("completed", ["crashed", "completed"]),
    }
    assert all(job.started_at >= job.run_at for job in jobs.values() if job.started_at and job.state == "completed")
    resorts = Job.objects.filter(name="jobapp.last_resort", state="completed").values_list("args__label", flat=True)
    assert sorted(resorts) == ["error", "exit", "permanent"]


def lives(job: Job) -> tuple[str, list[str]]:
    """The state of a job, and how its attempts ended."""
    return str(job.state), [str(attempt.outcome) for attempt in job.attempts.all()]


def test_ticks_come_once_over_three_processes_of_which_one_is_killed(start_worker: StartWorker):
    # given three workers that tick every second
    workers = [start_worker("order", JOBAPP_RECURS="1", QUEUE_SWEEP="0.2") for _ in range(3)]
    wait_for(lambda: runs("tick") >= 1)

    # when one is killed, and another comes whose clock is an hour behind
    workers[0].kill()
    start_worker("order", JOBAPP_RECURS="1", QUEUE_CLOCK_SHIFT="-3600")
    wait_for(lambda: Job.objects.filter(name="jobapp.every_second", state="completed").count() >= 5)

    # then no second ticked twice, and they follow one another
    keys = list(Job.objects.filter(name="jobapp.every_second").order_by("pk").values_list("key", flat=True))
    seconds = [datetime.fromisoformat(str(key).partition("@")[2]) for key in keys]
    assert len(set(seconds)) == len(seconds) >= 5
    assert seconds == sorted(seconds)
    assert seconds[-1] - seconds[0] < timedelta(minutes=1)


@pytest.mark.parametrize(("report", "obey"), [(report_in_thread, obey_in_thread), (report_in_child, obey_in_child)])
def test_progress_of_a_running_job_is_written_and_the_job_can_be_stopped(
    start_worker: StartWorker, report: JobDefinition, obey: JobDefinition
):
    # given a job that reports how far it is, and one that runs until it is asked to stop
    reporting, running = report.enqueue(percents=[40], note="rendering"), obey.enqueue(label="runs")
    start_worker("order", LOG_LEVEL="INFO", QUEUE_REPORT="0.1")
    wait_for(lambda: reporting.progress == 40 and runs("runs"))

    # when the one may end and an operator cancels the other
    open_gate("g-40")
    actions.cancel_jobs([running.id], actor="asha")

    # then
    wait_for(lambda: (reporting.status, running.status) == ("completed", "completed"))
    assert Job.objects.get(pk=reporting.id).progress_note == "rendering"
    assert Attempt.objects.get(job_id=reporting.id).log.endswith("INFO shop.reporting: at 40")
    assert Job.objects.get(pk=running.id).cancel_asked_at is not None


def test_job_that_hangs_is_timed_out_and_those_beside_it_are_not_failed(start_worker: StartWorker):
    # given a job that hangs in a blocking call, and others beside it
    start_worker("order", ORDER_TIMEOUT="1", QUEUE_DEADLINE_GRACE="0.5", QUEUE_GRACE="2")
    before = wait_for_workers(1)[0]
    hangs = block.enqueue(label="hangs", gate="g").id
    beside = [
        wait_for_gate.using(queue_name="inventory-release").enqueue(label="beside", gate="g").id for _ in range(2)
    ]
    wait_for(lambda: runs("hangs") >= 1 and runs("beside") >= 2)

    # when its deadline is over
    attempt = wait_for(lambda: Attempt.objects.filter(job_id=hangs).first())
    open_gate("g")

    # then another process has taken over, and the jobs beside it end
    wait_for(lambda: Job.objects.filter(pk__in=beside, state="completed").count() == 2)
    assert attempt.outcome == "timed out"
    wait_for(lambda: Worker.objects.filter(stopped_at=None).exclude(pid=before.pid).count() == 1)
    assert not Attempt.objects.filter(job_id__in=beside, outcome__in=("failed", "retry", "timed out")).exists()
