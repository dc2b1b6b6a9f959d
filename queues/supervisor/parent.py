"""The parent of a working process: a program of its own, which knows neither Django nor the shop, so that it is small.

`supervised.work_in_child` forks the first child and becomes this program. It does nothing but wait: for its child, and
for SIGTERM and SIGINT, which it passes on. A child that was killed, that hangs, or whose liveness counter does not move
is replaced by one that runs the whole command line again; it finds in its environment whose child it is.
"""

import json
import mmap
import os
import signal
import sys
import time

CHILD_OF = "BHARATMART_CHILD_OF"
"""Environment of a replacement: who its parent is, as JSON."""

HUNG = os.EX_TEMPFAIL
"""The exit code of a process in which a job hangs: it has drained and wants to be replaced."""

PASSED_ON = {signal.SIGTERM, signal.SIGINT}
WATCHED = {*PASSED_ON, signal.SIGCHLD}
CHECK_EVERY = 0.5
"""Seconds between two checks of the child's liveness counter."""
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0


CLAIMED, LIVENESS, WORKER = range(3)
"""Counters that parent and children share: jobs claimed, liveness, and the worker row of the latest child."""
SIZE = 3 * 8


def shared_numbers(file: int) -> "memoryview[int]":
    """These three counters, in a file in memory."""
    return memoryview(mmap.mmap(file, SIZE)).cast("q")


class Parent:
    """Starts another child when one was killed or hangs, until `max_jobs` are claimed or it is stopped."""

    def __init__(
        self, child: int, numbers: int, command: list[str], max_jobs: int | None, lease: float, short_life: float
    ) -> None:
        self.child = child
        self.file = numbers
        self.numbers = shared_numbers(numbers)
        self.command = command
        self.max_jobs = max_jobs
        self.lease = lease
        self.short_life = short_life
        self.dead: list[int] = []
        self.stop_asked = False
        self.pause = 0.0

    def supervise(self) -> int:
        """Replace children until none is to be started any more; the exit code of the last one."""
        while True:
            born_at = time.monotonic()
            watch = Watch(self.numbers, self.child, self.lease)
            code = self._wait_for_child(watch)
            self.dead.append(self.child)
            if self.stop_asked and not watch.has_moved:
                return 0  # it was asked to stop before it had its signal handlers
            if not self._must_replace(code):
                return _as_exit_code(code)
            if not self._pause(time.monotonic() - born_at):
                return 0
            how = "hangs" if code == HUNG else f"was killed by {signal.Signals(-code).name}"
            self._start(
                [*watch.events, f"worker process {self.child} {how}; another takes its place in {self.pause:g} s"]
            )

    def _wait_for_child(self, watch: "Watch") -> int:
        """Pass signals on until the child has ended; its exit code, negative for a signal."""
        while True:
            received = signal.sigtimedwait(WATCHED, CHECK_EVERY)
            if received is None:
                if not self.stop_asked:
                    watch.check()
            elif received.si_signo in PASSED_ON:
                self.stop_asked = True
                os.kill(self.child, received.si_signo)
            elif (code := _reap(self.child)) is not None:
                return code

    def _must_replace(self, code: int) -> bool:
        jobs_left = self.max_jobs is None or self.numbers[CLAIMED] < self.max_jobs
        return (code < 0 or code == HUNG) and not self.stop_asked and jobs_left

    def _pause(self, lived: float) -> bool:
        """Wait before the next child, longer each time that one has lived for a short time. False if asked to stop."""
        self.pause = 0.0 if lived > self.short_life else min(LONGEST_PAUSE, max(FIRST_PAUSE, self.pause * 2))
        until = time.monotonic() + self.pause
        while not signal.sigpending() & PASSED_ON and time.monotonic() < until:
            time.sleep(0.05)
        return not signal.sigpending() & PASSED_ON

    def _start(self, events: list[str]) -> None:
        """Start a child, which logs these events."""
        values = {"parent": os.getpid(), "numbers": self.file, "dead": self.dead, "events": events}
        environment = {**os.environ, CHILD_OF: json.dumps(values)}
        self.child = os.posix_spawn(self.command[0], self.command, environment, setsigmask=(), setsigdef=WATCHED)


class Watch:
    """Kills the child when its liveness counter has not moved for a lease: a job in foreign code holds the interpreter.

    It begins when the counter first moves. Checks are counted, not seconds, so that no child is killed because the
    machine was suspended. A child that was stopped on purpose (SIGSTOP) is not killed either.
    """

    def __init__(self, numbers: "memoryview[int]", child: int, lease: float) -> None:
        self.numbers, self.child, self.lease = numbers, child, lease
        self.first = self.last = numbers[LIVENESS]
        self.unmoved = 0
        self.events: list[str] = []

    @property
    def has_moved(self) -> bool:
        return self.numbers[LIVENESS] != self.first

    def check(self) -> None:
        counter = self.numbers[LIVENESS]
        if counter != self.last or not self.has_moved or _is_stopped(self.child):
            self.last, self.unmoved = counter, 0
            return
        self.unmoved += 1
        if self.unmoved * CHECK_EVERY > self.lease:
            self.events = [f"worker process {self.child} has not moved its liveness counter for {self.lease:g} s"]
            os.kill(self.child, signal.SIGKILL)


def _is_stopped(pid: int) -> bool:
    """Whether the process was stopped by a signal or a debugger; unknown counts as yes."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in b"Tt"
    except OSError:
        return True


def _reap(child: int) -> int | None:
    """The child's code if it has ended. As pid 1 of a container the parent also reaps orphaned processes."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            return os.waitstatus_to_exitcode(status)
        if pid == 0:
            return None


def _as_exit_code(code: int) -> int:
    """As a shell reports it; a child that hung and is not to be replaced counts as a success."""
    return 0 if code == HUNG else code if code >= 0 else 128 - code


def become(**values: object) -> None:
    """Turn this process into the `Parent` of these values, for good. The signals in WATCHED have to be blocked."""
    os.execv(sys.executable, [sys.executable, "-I", "-S", __file__, json.dumps(values)])


if __name__ == "__main__":
    for number in WATCHED:
        signal.signal(number, lambda *_: None)
    sys.exit(Parent(**json.loads(sys.argv[1])).supervise())
