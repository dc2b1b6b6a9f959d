"""`manage.py queues …`: each verb, and each wrong use, which ends with exit code 2 and a sentence."""

import getpass
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from queues.ledger import workers
from queues.management.commands.queues import Command
from queues.models import AuditEntry, Job, QueueState, Worker
from queues.ops import actions
from queues.states import JobState
from tests.jobapp.jobs import record
from tests.queues.claims import new_worker
from tests.queues.ops.test_actions import finished

pytestmark = pytest.mark.django_db

ME = f"command:{getpass.getuser()}"


def queues(*words: object) -> str:
    """What the command prints."""
    output = StringIO()
    call_command("queues", *map(str, words), stdout=output)
    return output.getvalue()


def audit() -> list[tuple[str, str, int | None]]:
    return list(AuditEntry.objects.order_by("pk").values_list("actor", "action", "job_id"))


def test_status_shows_every_queue_and_the_living_workers(settings):
    # given jobs, a paused queue, a living and a dead worker
    record.enqueue(label="waits")
    record.using(run_after=600).enqueue(label="later")
    finished(), finished(), finished(JobState.COMPLETED, queue="email")
    actions.pause_queue("email", actor="asha")
    Worker.objects.create(name="w1", host="h", pid=7, queues=["order", "email"])
    Worker.objects.create(name="dead", host="h", pid=8, beat_at=timezone.now() - timedelta(hours=1))
    Worker.objects.create(name="stopped", host="h", pid=9, stopped_at=timezone.now())

    # when
    head, *lines = queues("status").splitlines()

    # then
    table = {line.split()[0]: line.split()[1:] for line in lines[: len(settings.QUEUES)]}
    assert head.split() == ["queue", "waiting", "delayed", "active", "completed", "failed", "paused"]
    assert list(table) == list(settings.QUEUES)
    assert table["order"] == ["1", "1", "0", "0", "2"]
    assert table["email"] == ["0", "0", "0", "1", "0", "paused"]
    assert table["reports"] == ["0", "0", "0", "0", "0"]
    assert lines[-2] == "1 living workers"
    assert re.fullmatch(r"w1 \(h:7\): order, email; heartbeat \d s ago", lines[-1])


def test_queue_is_paused_and_resumed():
    assert queues("pause", "order") == "queue order is paused\n"
    assert queues("pause", "order") == "queue order was paused already\n"
    assert QueueState.objects.get().paused_at is not None

    assert queues("resume", "order") == "queue order runs again\n"
    assert queues("resume", "order") == "queue order was not paused\n"
    assert QueueState.objects.get().paused_at is None
    assert audit() == [(ME, "pause", None), (ME, "resume", None)]


def test_jobs_are_retried_by_number_and_what_was_left_is_printed():
    failed, done = finished(), finished(JobState.COMPLETED)

    output = queues("retry", "--id", failed.pk, done.pk, 10**9)

    assert output == (
        "1 jobs will run again\n"
        f"left as they are, because they are not failed or cancelled, or their key is taken: #{done.pk}, #{10**9}\n"
    )
    assert list(Job.objects.filter(state=JobState.WAITING)) == [failed]
    assert audit() == [(ME, "retry", failed.pk)]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ((), {"a", "b", "c"}),
        (("--name", "jobapp.fail"), {"b"}),
        (("--error", "timed out"), {"b", "c"}),
        (("--name", "jobapp.fail", "--error", "no luck"), set()),
    ],
)
def test_failed_jobs_of_a_queue_are_retried(more: tuple[str, ...], expected: set[str]):
    finished(subject="a")
    finished(subject="b", name="jobapp.fail", error="TimeoutError: timed out")
    finished(subject="c", error="SMTP: timed out")
    finished(subject="d", queue="email")

    output = queues("retry", "--queue", "order", *more)

    assert output == f"{len(expected)} jobs will run again\n"
    assert set(Job.objects.filter(state=JobState.WAITING).values_list("subject", flat=True)) == expected


def test_jobs_are_cancelled_by_number_or_key():
    waiting, keyed, failed = record.enqueue(label="a"), record.using(key="k").enqueue(label="b"), finished()

    assert queues("cancel", "--id", waiting.id, failed.pk) == (
        f"1 cancelled\nleft as they are, because they are not waiting or running: #{failed.pk}\n"
    )
    assert queues("cancel", "--key", "k") == "1 cancelled\n"
    assert queues("cancel", "--key", "k") == "0 cancelled\n"
    assert waiting.status == keyed.status == JobState.CANCELLED
    assert audit() == [(ME, "cancel", waiting.id), (ME, "cancel", keyed.id)]


@pytest.mark.parametrize(("older", "deleted"), [("3h", 1), ("90m", 2), ("0s", 3), ("1d", 0), ("1w", 0)])
def test_old_jobs_are_cleaned(older: str, deleted: int):
    for hours in (1, 2, 4):
        finished(hours_ago=hours)
    kept = {finished(JobState.CANCELLED, hours_ago=99), finished(queue="email", hours_ago=99)}

    output = queues("clean", "--queue", "order", "--state", "failed", "--older", older)

    assert output == f"{deleted} failed jobs of queue order deleted\n"
    assert Job.objects.count() == 5 - deleted
    assert kept <= set(Job.objects.all())
    assert audit() == [(ME, "clean", None)] * (1 if deleted else 0)


def test_flow_is_printed():
    assert queues("flow").startswith("# Flow: events and their jobs\n")


WRONG = [
    ("", "the following arguments are required: verb"),
    ("stat", "argument verb: invalid choice: 'stat' (choose from "),
    ("status order", "unrecognized arguments: order"),
    ("pause", "the following arguments are required: queue"),
    ("pause ordr", "argument queue: no queue named 'ordr' is declared. Did you mean 'order'?"),
    ("resume default", "argument queue: no queue named 'default' is declared. Known: email, "),
    ("retry", "one of the arguments --id --queue is required"),
    ("retry --error x", "one of the arguments --id --queue is required"),
    ("retry --id", "argument --id: expected at least one argument"),
    ("retry --id one", "argument --id: expected the number of a job, got 'one'"),
    ("retry --id 0", "argument --id: expected the number of a job, got '0'"),
    (f"retry --id {2**63}", f"argument --id: expected the number of a job, got '{2**63}'"),
    ("retry --id 1 --queue order", "argument --queue: not allowed with argument --id"),
    ("retry --queue emial", "argument --queue: no queue named 'emial' is declared. Did you mean 'email'?"),
    ("retry --queue order --name jobapp.recrd", "no job named 'jobapp.recrd'. Did you mean 'jobapp.record'?"),
    ("retry --queue order --error=", "argument --error: expected some text, got none"),
    ("cancel", "one of the arguments --id --key is required"),
    ("cancel --id 1 --key k", "argument --key: not allowed with argument --id"),
    ("cancel --key=", "argument --key: expected some text, got none"),
    ("clean", "the following arguments are required: --queue, --state, --older"),
    ("clean --queue order --state failed", "the following arguments are required: --older"),
    ("clean --queue x --state failed --older 7d", "argument --queue: no queue named 'x' is declared. Known: "),
    ("clean --queue order --state waiting --older 7d", "argument --state: invalid choice: 'waiting' (choose from "),
    *(
        (
            f"clean --queue order --state failed --older {wrong}",
            f"argument --older: expected a time such as 7d, 12h or 30m (below 100 years), got '{wrong}'",
        )
        for wrong in ("7", "d", "7x", "1.5h", "7d12h", "36500d", "9999999999s", "٧d")
    ),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_use_changes_nothing_and_ends_with_2(words: str, message: str, capsys: pytest.CaptureFixture[str]):
    job = finished(hours_ago=10**5)

    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "queues", *words.split()])

    output = capsys.readouterr().err
    assert end.value.code == 2
    assert message in output
    assert "usage: manage.py queues" in output
    assert list(Job.objects.all()) == [job]
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("more", [("--name", "jobapp.record"), ("--error", "x")])
def test_choice_among_numbered_jobs_is_refused(more: tuple[str, ...]):
    job = finished()

    with pytest.raises(CommandError, match="--name and --error choose among the jobs of --queue") as error:
        queues("retry", "--id", job.pk, *more)

    assert error.value.returncode == 2
    assert not AuditEntry.objects.exists()


def test_ready_while_a_worker_of_this_host_takes_jobs():
    # given a living worker, and one that is draining
    new_worker("w")
    workers.begin_to_drain(new_worker("draining"))

    assert queues("ready") == queues("ready", "--name", "w") == "ready\n"
    for name in ("draining", "unknown"):
        with pytest.raises(CommandError, match="no worker of this host takes jobs") as refused:
            queues("ready", "--name", name)
        assert refused.value.returncode == 1


def test_not_ready_without_a_worker_that_lives_here():
    # given a dead worker, and one of another host
    new_worker("dead", beat_seconds_ago=600)
    Worker.objects.filter(pk=new_worker("elsewhere")).update(host="elsewhere")

    with pytest.raises(CommandError, match="no worker of this host takes jobs"):
        queues("ready")
