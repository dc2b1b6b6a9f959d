"""Test jobs that report progress, log lines and results, or stop when they are asked to."""

import logging
import time
from typing import Any

from queues import Cancel, Permanent, Retry, Snooze, job, progress

from .jobs import begin, end
from .models import Gate

log = logging.getLogger("shop.reporting")

ENDS = {
    "error": ValueError("stopped half-way"),
    "permanent": Permanent("stopped for good"),
    "retry": Retry("stopped", after=120),
    "snooze": Snooze(60),
    "cancel": Cancel("stopped as asked"),
}


def until_gate(name: str) -> None:
    until = time.monotonic() + 60
    while not Gate.objects.filter(name=name).exists():
        if time.monotonic() > until:
            raise TimeoutError(name)
        time.sleep(0.02)


def report(percents: list[int], note: str, gate: str) -> None:
    for percent in percents:
        progress(percent, note)
        log.info("at %d", percent)
        until_gate(f"{gate}-{percent}")


def until_cancelled(label: str, how: str) -> None:
    run = begin(label)
    until = time.monotonic() + 60
    while not job.cancelled():
        if time.monotonic() > until:
            raise TimeoutError(label)
        time.sleep(0.02)
    end(run)
    if how in ENDS:
        raise ENDS[how]


@job(queue="order", name="jobapp.report")
def report_in_thread(percents: list[int], note: str = "", gate: str = "g") -> None:
    """Report each percentage and wait for its gate."""
    report(percents, note, gate)


@job(queue="order", name="jobapp.report_in_child", cpu=True)
def report_in_child(percents: list[int], note: str = "", gate: str = "g") -> None:
    """The same in a child process."""
    report(percents, note, gate)


@job(queue="order", name="jobapp.obey")
def obey_in_thread(label: str, how: str = "complete") -> None:
    """Run until asked to stop, and end in that way."""
    until_cancelled(label, how)


@job(queue="order", name="jobapp.obey_in_child", cpu=True)
def obey_in_child(label: str, how: str = "complete") -> None:
    """The same in a child process."""
    until_cancelled(label, how)


@job(queue="order", name="jobapp.give")
def give(value: Any, how: str = "") -> Any:
    """Return a value, or what JSON cannot hold."""
    return {"": value, "set": {1, 2}, "long": "x" * 8_000}[how]


@job(queue="order", name="jobapp.give_in_child", cpu=True)
def give_in_child(value: Any) -> Any:
    """The same in a child process."""
    return value


@job(queue="order", name="jobapp.report_all_the_time", cpu=True)
def report_all_the_time() -> None:
    """Report something ten times a second, for a minute."""
    for number in range(600):
        progress(number % 100)
        log.info("again")
        time.sleep(0.1)
