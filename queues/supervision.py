"""A command's parent process and the one working child that it replaces when that is wedged or was killed.

The parent forks before there is any thread or connection, so that it can fork again at any time. It does nothing
but wait: for its child, and for SIGTERM and SIGINT, which it passes on.
"""

import ctypes
import gc
import logging
import mmap
import os
import signal
import sys
import time
from typing import ClassVar, NoReturn

from django.conf import settings
from django.db import connections

log = logging.getLogger(__name__)

WEDGED = os.EX_TEMPFAIL
"""The exit code of a process in which a job hangs: it has drained and wants to be replaced."""

PASSED_ON = {signal.SIGTERM, signal.SIGINT}
WATCHED = {*PASSED_ON, signal.SIGCHLD}
PR_SET_PDEATHSIG = 1
LOOK = 0.5
"""Seconds between two looks at the child's signs of life."""
SHORT_LIFE = 10.0
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0


class Parent:
    """Forks the child, and another when that was killed or is wedged, until `max_jobs` are claimed or it is stopped."""

    known: ClassVar["Parent | None"] = None
    """In a child: its parent."""

    def __init__(self, max_jobs: int | None) -> None:
        self.pid = os.getpid()
        self.max_jobs = max_jobs
        self.claimed = _shared_number()
        self.worker = _shared_number()
        self.signs_of_life = _shared_number()
        self.dead: list[int] = []
        self.stop_asked = False
        self.pause = 0.0

    def jobs_left(self) -> int | None:
        """How many jobs may still be claimed; None: any number."""
        return None if self.max_jobs is None else max(0, self.max_jobs - self.claimed.value)

    def supervise(self) -> None:
        """Return in every child; the parent ends here, with the exit code of the last child."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        before = {number: signal.signal(number, lambda *_: None) for number in WATCHED}
        gc.collect()
        gc.freeze()  # the child's collector leaves what is there alone, so that both go on sharing it
        while True:
            born_at = time.monotonic()
            child = os.fork()
            if child == 0:
                die_with_parent(self.pid)
                for number, handler in before.items():
                    signal.signal(number, handler or signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                Parent.known = self
                return
            code = self._wait_for(child)
            self.dead.append(child)
            if not self._must_replace(code):
                sys.exit(_as_exit_code(code))
            self._pause(time.monotonic() - born_at, child, code)

    def _wait_for(self, child: int) -> int:
        """Pass on what the parent is told until the child has ended; its code, negative for a signal."""
        watch = Watch(self.signs_of_life, child)
        while True:
            told = signal.sigtimedwait(WATCHED, LOOK)
            if told is None:
                if not self.stop_asked:
                    watch.look()
            elif told.si_signo in PASSED_ON:
                self.stop_asked = True
                os.kill(child, told.si_signo)
            elif (code := _reap(child)) is not None:
                return code

    def _must_replace(self, code: int) -> bool:
        return (code < 0 or code == WEDGED) and not self.stop_asked and self.jobs_left() != 0

    def _pause(self, lived: float, child: int, code: int) -> None:
        """Before the next child: the longer, the more of them have lived but a short time."""
        self.pause = 0.0 if lived > SHORT_LIFE else min(LONGEST_PAUSE, max(FIRST_PAUSE, self.pause * 2))
        how = "is wedged" if code == WEDGED else f"was killed by {signal.Signals(-code).name}"
        log.error("worker process %d %s; another takes its place in %g s", child, how, self.pause)
        until = time.monotonic() + self.pause
        while not signal.sigpending() & PASSED_ON and time.monotonic() < until:
            time.sleep(0.05)
        if signal.sigpending() & PASSED_ON:
            sys.exit(0)


class Watch:
    """Kills the child when it gave no sign of life for a lease: a job in foreign code holds the interpreter.

    It begins with the first sign. Looks are counted, not seconds, so that a machine that slept kills nobody, and a
    child that stands still by order (SIGSTOP) is left alone.
    """

    def __init__(self, signs: ctypes.c_longlong, child: int) -> None:
        self.signs, self.child = signs, child
        self.first = self.last = signs.value
        self.silent = 0

    def look(self) -> None:
        if self.signs.value != self.last or self.last == self.first or _stands_still(self.child):
            self.last, self.silent = self.signs.value, 0
            return
        self.silent += 1
        if self.silent * LOOK > settings.QUEUE_LEASE:
            log.error("worker process %d gave no sign of life for %g s", self.child, settings.QUEUE_LEASE)
            os.kill(self.child, signal.SIGKILL)


def _stands_still(pid: int) -> bool:
    """Whether the process was stopped by a signal or a debugger; unknown counts as yes."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in b"Tt"
    except OSError:
        return True


def _shared_number() -> ctypes.c_longlong:
    """A number, first 0, that this process shares with those which it forks."""
    return ctypes.c_longlong.from_buffer(mmap.mmap(-1, ctypes.sizeof(ctypes.c_longlong)))


def _reap(child: int) -> int | None:
    """The child's code if it has ended. As pid 1 of a container the parent inherits and reaps orphans, too."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            return os.waitstatus_to_exitcode(status)
        if pid == 0:
            return None


def _as_exit_code(code: int) -> int:
    """As a shell would tell it; a wedged child that is not to be replaced has done what it was told."""
    return 0 if code == WEDGED else code if code >= 0 else 128 - code


def work_in_child(max_jobs: int | None = None) -> int | None:
    """Go on in a child process that is replaced when need be; how many of `max_jobs` it may still claim.

    The parent never returns from here: it raises SystemExit when the work is done.
    """
    connections.close_all()
    parent = Parent(max_jobs)
    parent.supervise()
    return parent.jobs_left()


def count_claimed(jobs: int) -> None:
    """Let the parent know, for --max-jobs over several children."""
    if Parent.known:
        Parent.known.claimed.value += jobs


def give_sign_of_life() -> None:
    """Let the parent know that threads of this process still run."""
    if Parent.known:
        Parent.known.signs_of_life.value += 1


def succeed(worker_id: int) -> int:
    """Register this child as the worker of that row; the row of the dead child that it replaces, 0 if there is none."""
    if not Parent.known:
        return 0
    give_sign_of_life()
    former, Parent.known.worker.value = Parent.known.worker.value, worker_id
    return former


def is_dead_sibling(pid: int) -> bool:
    """Whether that process was a child which this one replaces."""
    return Parent.known is not None and pid in Parent.known.dead


def is_orphan() -> bool:
    """Whether this process had a parent that replaces it, and has it no more."""
    return Parent.known is not None and os.getppid() != Parent.known.pid


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
