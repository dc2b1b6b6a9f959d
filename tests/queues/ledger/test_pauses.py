"""A paused queue: nothing of it is offered, claimed or started, in any process and mode; resumed, all run once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from redis import Redis

from queues import ledger
from queues.brokers.rq.broker import RqBroker
from queues.dispatcher import Dispatcher
from queues.errors import UnknownQueue
from queues.ledger import outbox
from queues.ledger.pauses import PausedQueues
from queues.models import Attempt, AuditEntry, Job, Outbox, QueueState, Worker
from queues.ops import actions
from queues.states import Outcome
from queues.testing import drain
from queues.worker.capacity import MOST_PREFETCHED
from tests.contracts.brokers import BROKERS
from tests.jobapp.jobs import note, record, record_mail
from tests.processes import Processes, wait_for
from tests.queues.claims import claim_offers, offer_delayed
from tests.queues.facts import messages, runs_not_once, states

JOBS = 5000
BATCH = 10 + MOST_PREFETCHED
"""What a fetcher may claim at once: ten threads, and as many prefetched jobs as there may be."""


@pytest.fixture(autouse=True)
def all_run_again(ledger_db: None) -> Iterator[None]:
    yield
    QueueState.objects.all().delete()


def pause(queue: str = "order") -> QueueState:
    actions.pause_queue(queue, actor="asha")
    return QueueState.objects.get(name=queue)


def resume(queue: str = "order") -> None:
    actions.resume_queue(queue, actor="asha")


@pytest.mark.parametrize("mode", BROKERS)
def test_nothing_starts_while_paused_and_all_run_once_when_resumed(
    processes: Processes, redis: Redis, tmp_path: Path, mode: str
):
    # given 5,000 waiting jobs (with rq all of them in Redis), and a worker in the midst of them
    ledger.enqueue([note.request({"label": str(number)}) for number in range(JOBS)])
    if mode == "rq":
        assert processes.manage("dispatch", "--once").exit_code() == 0
        assert redis.llen("rq:queue:order") == JOBS
    notes = tmp_path / "notes"
    processes.manage("work", "order", NOTES=str(notes), **BROKERS[mode])
    wait_for(lambda: states().get("completed", 0) >= 20)

    # when the queue is paused, and the worker has lived on for three seconds
    pause()
    paused_at = timezone.now()
    wait_for(lambda: Worker.objects.filter(stopped_at=None, beat_at__gt=paused_at + timedelta(seconds=3)).exists())

    # then nothing has started later than a second after it, and nothing is held back in the worker
    assert not Job.objects.filter(started_at__gt=paused_at + timedelta(seconds=1)).exists()
    left = states()["waiting"]
    assert states() == {"waiting": left, "completed": JOBS - left}
    assert left > 0
    wait_for(lambda: redis.keys("rq:fetched:*") == [])
    offered = Outbox.objects.filter(offered_at__isnull=False).count()
    assert offered == redis.llen("rq:queue:order")
    assert offered >= left - BATCH if mode == "rq" else offered == 0

    # and when it is resumed, every job has run once
    resume()
    wait_for(lambda: states() == {"completed": JOBS}, within=60)
    assert runs_not_once(notes, JOBS) == {}
    assert Attempt.objects.exclude(outcome=Outcome.GIVEN_BACK).count() == JOBS


@pytest.mark.parametrize("mode", BROKERS)
def test_pause_outlives_its_workers_and_does_not_touch_other_queues(processes: Processes, mode: str):
    # given a paused queue, and jobs in it and in another
    record.enqueue(label="paused")
    mail = record_mail.enqueue(label="mail")
    pause()

    # when workers of both start and end, one after the other
    for _ in range(2):
        assert processes.manage("work", "all", "--burst", **BROKERS[mode]).exit_code() == 0

    # then only the other queue's job has run
    assert states() == {"waiting": 1, "completed": 1}
    assert mail.status == "completed"


def test_message_that_lies_in_redis_is_not_claimed_and_comes_back():
    # given an offer that was published before the pause
    record.enqueue(label="a")
    (offer,) = outbox.offer_due("order", 1)
    pause()

    # when a worker tries to claim it, then it cannot
    assert claim_offers([offer], None) == []
    assert states() == {"waiting": 1}

    # and after the resume it can
    resume()
    assert [claim.id for claim in claim_offers([offer], None)] == [offer.job_id]


def test_dispatcher_offers_nothing_of_a_paused_queue(redis: Redis):
    record.enqueue(label="due")
    record.using(run_after=600).enqueue(label="delayed")
    mail = record_mail.enqueue(label="mail")
    pause()

    assert outbox.offer_due("order", 10) == offer_delayed("order", 10, 60) == []
    assert Dispatcher(RqBroker()).sweep() == 1
    assert messages(redis, "email") == [f"{mail.id}-1"]
    assert Outbox.objects.filter(queue="order", offered_at=None).count() == 2

    resume()
    assert Dispatcher(RqBroker()).sweep() == 2


def test_drain_of_the_test_kit_passes_over_paused_queues():
    record.enqueue(label="a")
    record_mail.enqueue(label="b")
    pause()

    assert drain() == 1
    assert states() == {"waiting": 1, "completed": 1}

    resume()
    assert drain() == 1


def test_paused_queue_can_be_filled_and_its_jobs_cancelled():
    pause()
    job = record.enqueue(label="a")

    assert actions.cancel_jobs([job.id], actor="asha") == ([job.id], [])


def test_pause_and_resume_are_audited_once():
    assert actions.pause_queue("order", actor="asha") is True
    assert actions.pause_queue("order", actor="ravi") is False
    assert actions.resume_queue("order", actor="ravi") is True
    assert actions.resume_queue("order", actor="asha") is False
    assert actions.resume_queue("email", actor="asha") is False

    lines = AuditEntry.objects.filter(job=None).order_by("pk").values_list("actor", "action", "detail")
    assert list(lines) == [("asha", "pause", "queue order"), ("ravi", "resume", "queue order")]


def test_queue_that_is_not_declared_cannot_be_paused():
    with pytest.raises(UnknownQueue, match=r"no queue named 'ordr' is declared. Did you mean 'order'\?"):
        actions.pause_queue("ordr", actor="asha")

    assert not QueueState.objects.exists()


def test_a_process_asks_for_paused_queues_twice_a_second_at_most(django_assert_num_queries, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("queues.ledger.pauses.time.monotonic", lambda: clock[0])
    paused = PausedQueues()
    with django_assert_num_queries(1):
        assert [paused.has("order") for _ in range(100)] == [False] * 100
    pause()

    clock[0] += 0.51

    assert paused.has("order")
    assert not paused.has("email")


def test_operator_pauses_from_the_shell(processes: Processes):
    wrong = processes.manage("queues", "pause", "ordr")
    assert processes.manage("queues", "pause", "order").exit_code() == 0
    status = processes.manage("queues", "status")

    assert (wrong.exit_code(), status.exit_code()) == (2, 0)
    assert "no queue named 'ordr' is declared. Did you mean 'order'?" in wrong.output
    assert "Traceback" not in wrong.output
    assert [line.split()[0] for line in status.output.splitlines() if line.endswith("paused")] == ["queue", "order"]
