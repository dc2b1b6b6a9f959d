"""A command's parent process and the one working child that it replaces when that is wedged or was killed.

The command forks its first child before there is any thread or connection, and becomes `parent.py`. Here is what the
child knows of its parent.
"""

import ctypes
import gc
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, NoReturn

from django.conf import settings
from django.db import connections

from .parent import CHILD_OF, CLAIMED, SIGNS_OF_LIFE, SIZE, WATCHED, WEDGED, WORKER, become, shared_numbers

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
STOPS = (signal.SIGTERM, signal.SIGINT)
TWICE = 1.0
"""Seconds within which a second signal is the first one again: Ctrl-C comes from the terminal and from the parent."""
SHORT_LIFE = 10.0
"""Seconds: after a shorter life of its child the parent pauses before it starts another."""


@dataclass(frozen=True)
class Child:
    """What this process is to its parent: what they count together, and the pids of those that it has replaced."""

    parent: int
    numbers: "memoryview[int]"
    dead: list[int] = field(default_factory=list)
    this: ClassVar["Child | None"] = None
    """None in a process without such a parent."""


def work_in_child(max_jobs: int | None = None) -> int | None:
    """Go on in a child process that is replaced when need be; how many of `max_jobs` it may still claim.

    Returns in each child, the first of which is forked here; this process becomes its parent.
    """
    connections.close_all()
    told = os.environ.pop(CHILD_OF, "")
    Child.this = _replacement(told) if told else _first_child(max_jobs)
    gc.collect()
    gc.freeze()  # the shop that is loaded stays: the collector need look only at what jobs leave behind
    return None if max_jobs is None else max(0, max_jobs - Child.this.numbers[CLAIMED])


def _first_child(max_jobs: int | None) -> Child:
    numbers = os.memfd_create("queues")
    os.truncate(numbers, SIZE)
    os.set_inheritable(numbers, True)
    parent = os.getpid()
    sys.stdout.flush()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    child = os.fork()
    if child:
        become(
            child=child,
            numbers=numbers,
            command=[sys.executable, *sys.orig_argv[1:]],
            max_jobs=max_jobs,
            lease=settings.QUEUE_LEASE,
            short_life=SHORT_LIFE,
        )
    die_with_parent(parent)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return Child(parent, shared_numbers(numbers))


def _replacement(told: str) -> Child:
    values = json.loads(told)
    die_with_parent(values["parent"])
    for sentence in values["told"]:
        log.error(sentence)
    return Child(values["parent"], shared_numbers(values["numbers"]), values["dead"])


def count_claimed(jobs: int) -> None:
    """Let the parent know, for --max-jobs over several children."""
    if Child.this:
        Child.this.numbers[CLAIMED] += jobs


def give_sign_of_life() -> None:
    """Let the parent know that threads of this process still run."""
    if Child.this:
        Child.this.numbers[SIGNS_OF_LIFE] += 1


def stop_on_signals(stop: Callable[[], None]) -> None:
    """The first SIGTERM or SIGINT calls `stop`, which lets what runs end; a later one ends this process now, with 1."""
    told_at = 0.0

    def heed(*_: object) -> None:
        nonlocal told_at
        if not told_at:
            told_at = time.monotonic()
            stop()
        elif time.monotonic() - told_at > TWICE:
            os._exit(1)

    for number in STOPS:
        signal.signal(number, heed)


def predecessor() -> int:
    """The row of the dead child that this one replaces, or of its own that was closed; 0 if there is none."""
    return Child.this.numbers[WORKER] if Child.this else 0


def succeed(worker_id: int) -> None:
    """Let the parent know that this child is the worker of that row."""
    if Child.this:
        give_sign_of_life()
        Child.this.numbers[WORKER] = worker_id


def is_dead_sibling(pid: int) -> bool:
    """Whether that process was a child which this one replaces."""
    return Child.this is not None and pid in Child.this.dead


def is_orphan() -> bool:
    """Whether this process had a parent that replaces it, and has it no more."""
    return Child.this is not None and os.getppid() != Child.this.parent


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux); end now if it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def exit_wedged() -> NoReturn:
    """End this process, to be replaced: at once, since a hung thread or what it has started may hold an exit up."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(WEDGED)
