"""A small supervisor: keeps processes running, one log file each, and takes all of them down with itself.

All children are members of one process group, which the guard leads (guard.py), so a Ctrl-C in the terminal reaches
the supervisor alone, and no child outlives it, not even one whose supervisor was killed with SIGKILL. There are no
threads: whoever waits calls `tend()`.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import CommandFailed, NotInTime

GUARD = Path(__file__).with_name("guard.py")
STEP = 0.05
SETTLED = 10.0  # seconds of life after which a child's earlier deaths are forgiven
LONGEST_PAUSE = 5.0


@dataclass
class Child:
    """A process to keep running. `deaths` counts those in quick succession."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    fds: Sequence[int] = ()
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    start_again_at: float | None = None
    deaths: int = 0

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0


@dataclass
class Supervisor:
    """`with Supervisor(logs) as supervisor:` stops everything at the end of the block, whatever ends it."""

    logs: Path
    folder: Path = field(default_factory=Path.cwd)
    grace: float = 5.0  # seconds between SIGTERM and SIGKILL
    children: dict[str, Child] = field(default_factory=dict)

    def __enter__(self) -> "Supervisor":
        self.logs.mkdir(parents=True, exist_ok=True)
        self.guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD), str(self.grace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            process_group=0,
        )
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._end_gently()
        finally:
            self._end_group()

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str], fds: Sequence[int] = ()) -> Child:
        """Start a process and keep it running; `fds` are open descriptors that it inherits."""
        child = Child(name, argv, env, self.logs / f"{name}.log", fds)
        self.children[name] = child
        self._spawn(child)
        return child

    def run(self, name: str, argv: Sequence[str], env: Mapping[str, str], seconds: float = 60.0) -> None:
        """Run a command to its end. Raises CommandFailed with the end of its log, NotInTime."""
        child = Child(name, argv, env, self.logs / f"{name}.log")
        process = self._spawn(child)
        self.wait_until(lambda: process.poll() is not None, seconds, f"the end of {name}")
        if process.returncode != 0:
            raise CommandFailed(f"{name} {told(process.returncode)}.\n{end_of(child.log)}")

    def tend(self) -> list[str]:
        """Start again whoever died, after a pause that grows with quick deaths; what happened, in sentences."""
        return [news for child in self.children.values() if (news := self._tend(child))]

    def sleep(self, seconds: float) -> list[str]:
        """Tend for so long; what happened meanwhile."""
        news: list[str] = []
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            news += self.tend()
            time.sleep(min(STEP, left))
        return news

    def wait_until(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Tend until the condition holds. Raises NotInTime, and CommandFailed for a child that dies again and again."""
        until = time.monotonic() + seconds
        while not condition():
            self.tend()
            for child in self.children.values():
                if child.deaths >= 3:
                    raise CommandFailed(f"{child.name} does not stay up.\n{end_of(child.log)}")
            if time.monotonic() > until:
                raise NotInTime(f"Waited {seconds:g} s in vain for {what}; the logs are in {self.logs}.")
            time.sleep(STEP)

    def _spawn(self, child: Child) -> "subprocess.Popen[bytes]":
        child.started_at, child.start_again_at = time.monotonic(), None
        with child.log.open("ab") as log:
            child.process = subprocess.Popen(
                child.argv,
                cwd=self.folder,
                env=dict(child.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=tuple(child.fds),
                process_group=self.guard.pid,
            )
        return child.process

    def _tend(self, child: Child) -> str:
        if child.process is None or child.process.poll() is None:
            return ""
        now = time.monotonic()
        if child.start_again_at is None:
            child.deaths = 1 if now - child.started_at > SETTLED else child.deaths + 1
            child.start_again_at = now + min(LONGEST_PAUSE, 0.1 * 2**child.deaths)
            return f"{child.name} {told(child.process.returncode)}"
        if now >= child.start_again_at:
            self._spawn(child)
            return f"{child.name} runs again"
        return ""

    def _end_gently(self) -> None:
        """SIGTERM for all at once; wait for them, at most the grace."""
        processes = list(self._living())
        for process in processes:
            process.terminate()
        until = time.monotonic() + self.grace
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))

    def _end_group(self) -> None:
        """SIGKILL for whatever is left, children of children and the guard included."""
        _signal_group(self.guard.pid, signal.SIGKILL)
        self.guard.communicate()
        for process in self._living():
            process.wait()
        until = time.monotonic() + 1.0
        while _signal_group(self.guard.pid, 0) and time.monotonic() < until:
            time.sleep(0.01)  # orphans are init's to bury

    def _living(self) -> Iterator["subprocess.Popen[bytes]"]:
        for child in self.children.values():
            if child.process is not None and child.process.poll() is None:
                yield child.process


def _signal_group(group: int, number: int) -> bool:
    """Whether there was anybody to signal."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def told(code: int) -> str:
    """An exit code in words."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"


def end_of(log: Path, lines: int = 15) -> str:
    """The end of a log, with its name."""
    return f"{log}:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
