"""What a working process knows of the parent that replaces it when it hangs or was killed.

The command forks its first child before there is any thread or connection, and becomes `parent.py`.
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

from .parent import CHILD_OF, CLAIMED, HUNG, LIVENESS, SIZE, WATCHED, WORKER, become, shared_numbers

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
STOPS = (signal.SIGTERM, signal.SIGINT)
TWICE = 1.0
"""Seconds within which a second signal is the first one again: Ctrl-C comes from the terminal and from the parent."""
SHORT_LIFE = 10.0
"""Seconds: after a shorter life of its child the parent pauses before it starts another."""


@dataclass(frozen=True)
class Supervised:
    """This process as a child of its parent: their shared counters, and the pids of the children that it replaces."""

    parent: int
    numbers: "memoryview[int]"
    dead: list[int] = field(default_factory=list)
    this: ClassVar["Supervised | None"] = None
    """None in a process without such a parent."""


def work_in_child(max_jobs: int | None = None) -> int | None:
    """Go on in a child process that is replaced when need be; how many of `max_jobs` it may still claim.

    Returns in each child, the first of which is forked here; this process becomes its parent.
    """
    connections.close_all()
    values = os.environ.pop(CHILD_OF, "")
    Supervised.this = _replacement(values) if values else _first_child(max_jobs)
    gc.collect()
    gc.freeze()  # the loaded shop stays: the collector need examine only what jobs leave behind
    return None if max_jobs is None else max(0, max_jobs - Supervised.this.numbers[CLAIMED])


def _first_child(max_jobs: int | None) -> Supervised:
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
    return Supervised(parent, shared_numbers(numbers))


def _replacement(text: str) -> Supervised:
    values = json.loads(text)
    die_with_parent(values["parent"])
    for sentence in values["events"]:
        log.error(sentence)
    return Supervised(values["parent"], shared_numbers(values["numbers"]), values["dead"])


def count_claimed(jobs: int) -> None:
    """Add to the counter of claimed jobs, so that --max-jobs holds over several children."""
    if Supervised.this:
        Supervised.this.numbers[CLAIMED] += jobs


def count_liveness() -> None:
    """Move the liveness counter: the parent sees that threads of this process still run."""
    if Supervised.this:
        Supervised.this.numbers[LIVENESS] += 1


def stop_on_signals(stop: Callable[[], None]) -> None:
    """The first SIGTERM or SIGINT calls `stop`, which lets what runs end; a later one ends this process now, with 1."""
    asked_at = 0.0

    def handle(*_: object) -> None:
        nonlocal asked_at
        if not asked_at:
            asked_at = time.monotonic()
            stop()
        elif time.monotonic() - asked_at > TWICE:
            os._exit(1)

    for number in STOPS:
        signal.signal(number, handle)


def previous_worker_id() -> int:
    """The worker row of the dead child that this one replaces, or this child's own former row; 0 if there is none."""
    return Supervised.this.numbers[WORKER] if Supervised.this else 0


def set_worker_id(worker_id: int) -> None:
    """Keep the id of this child's worker row where the child that replaces it finds it."""
    if Supervised.this:
        count_liveness()
        Supervised.this.numbers[WORKER] = worker_id


def is_dead_sibling(pid: int) -> bool:
    """Whether that process was a child which this one replaces."""
    return Supervised.this is not None and pid in Supervised.this.dead


def parent_is_gone() -> bool:
    """Whether the parent that would replace this process has died."""
    return Supervised.this is not None and os.getppid() != Supervised.this.parent


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux); end now if it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def exit_for_replacement() -> NoReturn:
    """End this process, to be replaced: at once, since a hung thread or what it has started may hold an exit up."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(HUNG)
