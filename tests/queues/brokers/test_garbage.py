"""Whoever can write to Redis cannot run code, and cannot stop anything for long."""

import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from redis import Redis

from queues.models import Job, Worker
from queues.settings import declared
from tests.jobapp.jobs import record, record_mail
from tests.jobapp.models import Run
from tests.processes import Processes, wait_for
from tests.queues.facts import runs, states, wait_for_state, wait_for_workers

SCHEDULED = "rq:scheduler:scheduled_jobs"
TIMES = "2026-11-22T00:00:00.000000Z"


class Trap:
    """Unpickled, it leaves a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return (eval, (f"open({str(self.file)!r}, 'w').close()",))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sprung"


@pytest.fixture
def trap(file: Path) -> bytes:
    return pickle.dumps(Trap(file))


def rubbish(trap: bytes) -> list[bytes]:
    words = ["", "evil", "0-1", "7", "7-", "../../etc/passwd", "nul\x00nul", "9" * 40 + "-1", "7-1-1", "jobapp.record"]
    long = b"x" * 300_000
    return [trap, zlib.compress(trap), b"\xff\xfe\x00", long, *(word.encode() for word in words)]


def trapped_job(trap: bytes, origin: str) -> dict[str, bytes]:
    """An rq job as a stock worker would run it, with pickle in every field that rq knows."""
    fields = "data meta result exc_info args kwargs success_callback_name failure_callback_name dependency_ids"
    text = {"origin": origin, "status": "queued", "created_at": TIMES, "enqueued_at": TIMES, "timeout": "180"}
    return {
        **{name: value.encode() for name, value in text.items()},
        **dict.fromkeys(fields.split(), trap),
        "data": zlib.compress(trap),
    }


def plant_everywhere(redis: Redis, trap: bytes) -> None:
    """Pickle and rubbish in every key that a worker, the scheduler or rqstats reads."""
    for queue in [*declared(), "default"]:
        redis.rpush(f"rq:queue:{queue}", *rubbish(trap))
        redis.sadd(f"rq:workers:{queue}", *rubbish(trap), "rq:worker:evil")
        for registry in ("wip", "started", "finished", "failed", "deferred", "scheduled", "canceled"):
            redis.zadd(f"rq:{registry}:{queue}", dict.fromkeys([*rubbish(trap), b"evil", b"evil:1"], 1))
    for number, word in enumerate(rubbish(trap)):
        redis.hset(b"rq:job:" + word, mapping=trapped_job(trap, ["email", "../../etc", "order"][number % 3]))  # type: ignore[arg-type]
        redis.hset(b"rq:worker:" + word, mapping=dict.fromkeys(["queues", "birth", "state", "pid"], trap))  # type: ignore[arg-type]
        redis.zadd(SCHEDULED, {word: [0, 1, float("-inf"), float("inf")][number % 4]})
        redis.publish("rq:pubsub:evil", word)
    redis.hset("rq:worker:evil", mapping={"birth": trap, "queues": trap})  # type: ignore[dict-item]
    for key in ("rq:queues", "rq:workers"):
        redis.sadd(key, *rubbish(trap))
    redis.hset("rq:scheduler_instance:evil", mapping={"birth": trap})  # type: ignore[dict-item]


def plant_wrong_types(redis: Redis, trap: bytes) -> None:
    """Text where lists, sets and hashes belong."""
    keys = ["rq:queues", "rq:workers", SCHEDULED, "rq:scheduler", "rq:scheduler_lock"]
    for queue in declared():
        keys += [f"rq:queue:{queue}", f"rq:workers:{queue}"]
        keys += [f"rq:{registry}:{queue}" for registry in ("wip", "finished", "failed")]
    for row in Worker.objects.all():
        keys += [f"rq:worker:{row.name}", f"rq:fetched:{row.pk}:order", f"rq:fetched:{row.pk}:email"]
    following = 1 + max(Job.objects.values_list("pk", flat=True), default=0)
    keys += [f"rq:job:{number}-1" for number in range(following, following + 5)]
    for key in keys:
        redis.set(key, trap)


def good_jobs(label: str) -> list[int]:
    """Two due now, and one that rq-scheduler has to hold."""
    mail, order = record_mail.enqueue(label=label), record.enqueue(label=label)
    return [mail.id, order.id, record.using(run_after=1.5).enqueue(label=label).id]


def test_trap_springs_when_it_is_unpickled(trap: bytes, file: Path):
    pickle.loads(trap)

    assert file.exists()


def test_good_jobs_run_beside_planted_pickle_and_rubbish(processes: Processes, redis: Redis, trap: bytes, file: Path):
    # given a Redis full of traps before anything starts
    plant_everywhere(redis, trap)
    scheduler = processes.manage("rqscheduler")
    worker = processes.manage("rqworker", "--name", "w")
    wait_for_workers(1)

    # when jobs come, and traps again while all is running
    for label in ("first", "second"):
        for job_id in good_jobs(label):
            wait_for_state(job_id, "completed")
        plant_everywhere(redis, trap)
        redis.rpush(f"rq:fetched:{Worker.objects.get().pk}:order", *rubbish(trap))
        call_command("rqstats")

    # then they ran once, nothing else did, and everybody lives
    assert (runs("first"), runs("second"), Run.objects.count()) == (3, 3, 6)
    assert states() == {"completed": 6}
    wait_for(lambda: redis.llen("rq:queue:order") == 0)
    assert (worker.lives, scheduler.lives, file.exists()) == (True, True, False)
    assert (worker.stop(), scheduler.stop()) == (0, 0)
    assert "Traceback" not in worker.output + scheduler.output


def test_values_of_the_wrong_type_are_swept_away(processes: Processes, redis: Redis, trap: bytes, file: Path):
    plant_wrong_types(redis, trap)
    scheduler = processes.manage("rqscheduler")
    worker = processes.manage("rqworker", "order", "email", "--name", "w")
    for job_id in good_jobs("first"):
        wait_for_state(job_id, "completed")

    plant_wrong_types(redis, trap)
    for job_id in good_jobs("second"):
        wait_for_state(job_id, "completed")

    assert (runs("first"), runs("second")) == (3, 3)
    assert set(Job.objects.values_list("state", "attempt", "crashes")) == {("completed", 1, 0)}
    wait_for(lambda: redis.type("rq:worker:w") == b"hash")
    assert (worker.lives, scheduler.lives, file.exists()) == (True, True, False)


def test_message_of_another_job_runs_nothing_twice_and_nothing_early(processes: Processes, redis: Redis):
    """Ids can be guessed; the claim decides."""
    done = record.enqueue(label="done").id
    processes.manage("rqworker", "order")
    wait_for_state(done, "completed")
    later = record.using(run_after=600).enqueue(label="later").id
    wait_for(lambda: redis.zcard(SCHEDULED) == 1)

    guesses = [f"{job_id}-{offer}" for job_id in range(done - 3, later + 4) for offer in range(1, 6)]
    redis.rpush("rq:queue:order", *guesses)
    redis.zadd(SCHEDULED, {f"{later}-1": 0})
    wait_for(lambda: redis.llen("rq:queue:order") == 0)
    other = record.enqueue(label="other").id
    wait_for_state(other, "completed")

    assert (runs("done"), runs("later"), runs("other")) == (1, 0, 1)
    assert (Job.objects.get(pk=later).state, Job.objects.get(pk=later).attempt) == ("waiting", 0)


def test_stock_rq_worker_refuses_our_messages(redis: Redis):
    """A stray worker of another project on this Redis reads JSON or fails; it runs no job of ours."""
    from queues.brokers.rq import messages

    with pytest.raises(RuntimeError, match=r"7-1 belongs to BharatMart's ledger: run it with `manage.py rqworker`"):
        messages.refuse("7-1")
    with pytest.raises(RuntimeError, match="jobs are enqueued with @job"):
        messages.MessageQueue("email", connection=redis).enqueue(print, "x")
    assert redis.dbsize() == 0
