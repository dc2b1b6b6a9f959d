"""`rqworker` and `work` are a parent and one working child: what happens when either of them is killed."""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from queues.models import Job, Worker
from tests.jobapp.jobs import hold_interpreter, record, wait_for_gate
from tests.jobapp.models import Run
from tests.processes import Processes, Started, children_of, is_gone, wait_for
from tests.queues.facts import open_gate, runs, states, wait_for_state, wait_for_workers

IN_PROCESS = {"WORKER_MODE": "in-process"}


def kill_child() -> int:
    """SIGKILL for the living working process; its pid."""
    (worker,) = wait_for_workers(1)
    os.kill(worker.pid, signal.SIGKILL)
    return worker.pid


def child_of(parent: Started) -> psutil.Process:
    return wait_for(lambda: next(iter(psutil.Process(parent.pid).children()), None))


@pytest.mark.parametrize("command", ["rqworker", "work"])
def test_killed_child_is_replaced_and_its_job_runs_again(processes: Processes, command: str):
    parent = processes.manage(command, "order", **({} if command == "rqworker" else IN_PROCESS))
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: runs("a") == 1)

    killed = kill_child()
    wait_for(lambda: runs("a") == 2)
    open_gate("g")

    job = wait_for_state(job_id, "completed")
    assert (job.attempt, job.crashes, job.suspect) == (1, 1, True)
    (second,) = wait_for_workers(1)
    assert second.pid != killed
    assert psutil.Process(second.pid).ppid() == parent.pid
    assert f"worker process {killed} was killed by SIGKILL; another takes its place" in parent.output


def test_replacement_bears_the_name_and_the_pid_file_names_the_parent(processes: Processes, tmp_path: Path):
    pid_file = tmp_path / "w.pid"
    parent = processes.manage("rqworker", "order", "--name", "w", "--pid", str(pid_file))
    killed = kill_child()

    wait_for(lambda: Worker.objects.filter(name="w", stopped_at=None).exclude(pid=killed).exists())

    assert wait_for_state(record.enqueue(label="a").id, "completed").attempt == 1
    assert pid_file.read_text() == str(parent.pid)
    assert parent.stop() == 0


def test_name_of_a_living_worker_is_refused_to_a_replacement_of_another(processes: Processes):
    """The parent knows that its own child is dead, and nothing of others of that name."""
    processes.manage("rqworker", "order", "--name", "w")
    wait_for_workers(1)

    other = processes.manage("rqworker", "order", "--name", "w")

    assert other.exit_code() == 1
    assert "There exists an active worker named 'w' already" in other.output


@pytest.mark.parametrize("command", ["rqworker", "work"])
def test_killed_parent_leaves_no_child_and_another_worker_runs_the_job(processes: Processes, command: str):
    parent = processes.manage(command, "order")
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: runs("a") == 1)
    family = [process.pid for process in children_of(parent.pid)]
    assert Run.objects.get().pid in family

    parent.kill()

    wait_for(lambda: all(is_gone(pid) for pid in family))
    processes.manage(command, "order")
    wait_for(lambda: runs("a") == 2)
    open_gate("g")
    assert wait_for_state(job_id, "completed").crashes == 1


def test_child_whose_parent_is_gone_drains_and_ends_where_the_kernel_does_not_kill_it(processes: Processes):
    """As on macOS, which knows no PR_SET_PDEATHSIG."""
    program = (
        "import sys; from queues.supervisor import supervised;"
        "supervised.die_with_parent; supervised.die_with_parent = lambda parent: None;"
        "from django.core.management import execute_from_command_line as run; run(['manage.py', 'work', 'order'])"
    )
    parent = processes.run(sys.executable, "-c", program, name="work", **IN_PROCESS)
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: runs("a") == 1)
    child = Worker.objects.get().pid

    parent.kill()
    open_gate("g")

    wait_for(lambda: is_gone(child))
    assert Job.objects.get(pk=job_id).state == "completed"
    assert Worker.objects.get().stopped_at is not None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_to_the_parent_alone_drains(processes: Processes, number: signal.Signals):
    parent = processes.manage("work", "order", **IN_PROCESS)
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: runs("a") == 1)
    child = Worker.objects.get().pid

    parent.send(number)
    wait_for(lambda: Worker.objects.get().draining_at)
    later = record.enqueue(label="later").id
    open_gate("g")

    assert parent.exit_code() == 0
    assert is_gone(child)
    assert Job.objects.get(pk=job_id).state == "completed"
    assert Job.objects.get(pk=later).state == "waiting"
    assert Worker.objects.get().stopped_at is not None


def test_max_jobs_counts_over_the_replacements(processes: Processes):
    parent = processes.manage("rqworker", "order", "--max-jobs", "3")
    wait_for_gate.enqueue(label="a", gate="g")
    wait_for(lambda: runs("a") == 1)

    kill_child()
    wait_for(lambda: runs("a") == 2)
    for number in range(3):
        record.enqueue(label=str(number))
    open_gate("g")

    assert parent.exit_code() == 0
    assert Run.objects.count() == 3
    assert states() == {"completed": 2, "waiting": 2}


def test_burst_goes_on_until_the_killed_childs_job_is_done(processes: Processes):
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    parent = processes.manage("rqworker", "order", "--burst")
    wait_for(lambda: runs("a") == 1)

    kill_child()
    wait_for(lambda: runs("a") == 2)
    open_gate("g")

    assert parent.exit_code() == 0
    assert Job.objects.get(pk=job_id).state == "completed"


def test_pause_grows_while_children_die_quickly_and_a_signal_ends_it(processes: Processes):
    parent = processes.manage("rqworker", "order")

    killed: list[int] = []
    for pause in ("0.25", "0.5", "1"):
        child = wait_for(Worker.objects.filter(stopped_at=None).exclude(pid__in=killed).first)
        os.kill(child.pid, signal.SIGKILL)
        killed.append(child.pid)
        wait_for(lambda pause=pause: f"another takes its place in {pause} s" in parent.output)

    assert parent.stop() == 0
    assert not Worker.objects.filter(stopped_at=None).exists() or is_gone(Worker.objects.latest("pk").pid)


def test_process_whose_interpreter_a_job_holds_is_killed_and_replaced(processes: Processes, one_attempt: None):
    # given a job that lets no other thread of its process run, not even the heartbeat, and one beside it
    parent = processes.manage("rqworker", "order", ORDER_TIMEOUT="6")
    beside = wait_for_gate.enqueue(label="beside", gate="g").id
    wait_for(lambda: runs("beside") == 1)
    poison = hold_interpreter.enqueue(label="poison").id
    wait_for(lambda: runs("poison") == 1)
    open_gate("g")

    # then its parent sees that its liveness counter does not move, and starts another, in which the job is timed out
    wait_for(lambda: "has not moved its liveness counter for 2.5 s" in parent.output)
    wait_for_state(beside, "completed")
    job = wait_for_state(poison, "failed")
    assert list(job.attempts.values_list("outcome", flat=True)) == ["crashed", "timed out"]
    assert parent.lives


def test_process_that_stands_still_by_order_is_not_killed_by_its_parent(processes: Processes):
    parent = processes.manage("rqworker", "order")
    (worker,) = wait_for_workers(1)
    os.kill(worker.pid, signal.SIGSTOP)

    # when another has taken it for dead, which takes longer than a lease
    processes.manage("work", "email", **IN_PROCESS)
    wait_for(lambda: Worker.objects.filter(pk=worker.pk, stopped_at__isnull=False).exists())
    wait_for(lambda: Worker.objects.filter(name="work", beat_at__gt=worker.beat_at + timedelta(seconds=6)).exists())
    os.kill(worker.pid, signal.SIGCONT)

    # then it goes on
    wait_for_state(record.enqueue(label="after").id, "completed")
    assert {*Run.objects.filter(label="after").values_list("pid", flat=True)} == {worker.pid}
    assert parent.lives
