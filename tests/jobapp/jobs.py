"""Test jobs. Each records its run first, so that a test sees every start, also of runs that were cut off."""

import ctypes
import os
import re
import signal
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta

from django.db import connection, connections, transaction
from django.db.models.functions import Now

from queues import Cancel, Event, Permanent, Retry, Snooze, job

from .models import Gate, Run

something_happened = Event("something_happened", "label", "number", subject="thing-{label}")
something_was_undone = Event("something_was_undone", "label")


def begin(label: str) -> Run:
    return Run.objects.create(label=label, pid=os.getpid(), thread=threading.current_thread().name)


def end(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(ended_at=Now())


@job(queue="order")
def record(label: str) -> None:
    """Leave one row."""
    end(begin(label))


@job(queue="email")
def record_mail(label: str) -> None:
    """Leave one row, from another queue."""
    end(begin(label))


@job(queue="order")
def take_a_moment(label: str) -> None:
    """Be busy for 20 ms, as with a quick call to somebody else."""
    time.sleep(0.02)


@job(queue="order")
def wait_for_gate(label: str, gate: str) -> None:
    """Run until the gate is open, at most a minute."""
    run = begin(label)
    until = time.monotonic() + 60
    while not Gate.objects.filter(name=gate).exists():
        if time.monotonic() > until:
            raise TimeoutError(gate)
        time.sleep(0.05)
    end(run)


@job(queue="order", cpu=True)
def compute(label: str, gate: str = "") -> None:
    """Run in a child process."""
    run = begin(label)
    while gate and not Gate.objects.filter(name=gate).exists():
        time.sleep(0.05)
    end(run)


@job(queue="order")
def crash(label: str) -> None:
    """Take the own process down, as a fault in a C extension does: read where nothing is."""
    begin(label)
    ctypes.string_at(0)


@job(queue="order")
def crash_in_company(label: str) -> None:
    """Take the process down, but only if it is not alone in a child process."""
    run = begin(label)
    if threading.current_thread() is not threading.main_thread():
        os.kill(os.getpid(), signal.SIGKILL)
    end(run)


@job(queue="order")
def last_resort(label: str) -> None:
    """Runs when `fail` is given up."""
    end(begin(f"gave up {label}"))


@job(queue="order", on_failed=last_resort)
def fail(label: str, how: str = "error") -> None:
    """Fail in the way that is asked for."""
    begin(label)
    if how == "exit":
        sys.exit("bye")
    raise {
        "error": ValueError("no luck"),
        "permanent": Permanent("never"),
        "cancel": Cancel("not needed"),
        "snooze": Snooze(60),
        "retry": Retry("later", after=120),
        "nul": ValueError("a\x00b"),
    }[how]


@job(queue="order", on=something_happened)
def react(label: str) -> None:
    """React to an event."""
    end(begin(label))


@job(
    queue="order",
    on=something_happened,
    run_after=timedelta(hours=1),
    key="undo-{label}",
    withdraw_on=something_was_undone,
)
def react_later(label: str, number: int) -> None:
    """React to an event much later, unless it is undone."""
    end(begin(f"{label}-{number}"))


@job(queue="order")
def enqueue_another(label: str) -> None:
    """Enqueue a job from inside a job."""
    record.enqueue(label=label)


@job(queue="order")
def note(label: str) -> None:
    """Append a line to the file NOTES: the cheapest trace of a run."""
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{label}\n")


def _is_open(gate: str) -> bool:
    return Gate.objects.filter(name=gate).exists()


@job(queue="order")
def block(label: str, gate: str) -> None:
    """Hang in a blocking call, unless the gate is open at the start."""
    run = begin(label)
    if not _is_open(gate):
        time.sleep(600)
    end(run)


@job(queue="order")
def swallow(label: str, gate: str) -> None:
    """Run until the gate is open, whatever is raised here."""
    run = begin(label)
    while True:
        try:
            if _is_open(gate):
                break
            time.sleep(0.05)
        except BaseException:
            with suppress(BaseException):
                connections.close_all()  # what came may have left one in the middle of anything
    end(run)


@job(queue="order")
def spin(label: str) -> None:
    """Never end, in pure Python."""
    begin(label)
    while True:
        pass


@job(queue="order")
def hold_interpreter(label: str) -> None:
    """Search with an expression that backtracks without end: no other thread of the process runs meanwhile."""
    begin(label)
    re.match(r"(a+)+$", "a" * 60 + "b")


@job(queue="order")
def query(label: str) -> None:
    """Never end, in PostgreSQL and in the middle of a transaction."""
    begin(label)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")


@job(queue="order")
def count(to: int) -> None:
    """Take a while that is hard to foretell, in pure Python and without a trace."""
    for _ in range(to):
        pass
