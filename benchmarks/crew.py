"""The processes of a benchmark: one that dies ends the run, and none outlives the harness (demo/supervisor.py)."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from bharatmart.demo.errors import DemoError
from bharatmart.demo.supervisor import Supervisor, end_of, told

from .errors import BenchError
from .telling import Telling

STEP = 0.02


class Crew:
    """Starts, watches and ends processes."""

    def __init__(self, supervisor: Supervisor, telling: Telling) -> None:
        self.supervisor = supervisor
        self.telling = telling

    def run(self, name: str, argv: Sequence[str | Path], env: Mapping[str, str], seconds: float = 120.0) -> Any:
        """Run a command to its end; the last line of its output if that is JSON. Raises BenchError."""
        log = self.supervisor.logs / f"{name}.log"
        log.unlink(missing_ok=True)
        try:
            self.supervisor.run(name, [str(word) for word in argv], env, seconds)
        except DemoError as error:
            raise BenchError(str(error)) from error
        lines = log.read_text(errors="replace").splitlines()
        with contextlib.suppress(ValueError, IndexError):
            return json.loads(lines[-1])
        return None

    def python(self, name: str, *words: str, env: Mapping[str, str], seconds: float = 120.0) -> Any:
        """The same for one of our own modules."""
        return self.run(name, [sys.executable, *words], env, seconds)

    def start(self, name: str, argv: Sequence[str | Path], env: Mapping[str, str], fds: Sequence[int] = ()) -> None:
        self.supervisor.start(name, [str(word) for word in argv], env, fds)

    def tree(self, name: str) -> list[psutil.Process]:
        """The process of that name and all below it."""
        with contextlib.suppress(psutil.NoSuchProcess, KeyError):
            process = psutil.Process(self.supervisor.children[name].pid)
            return [process, *process.children(recursive=True)]
        return []

    def stop(self, *names: str, seconds: float = 20.0) -> None:
        """SIGTERM for these and, after these seconds, SIGKILL for them and everything below them."""
        trees = [process for name in names for process in self.tree(name)]
        children = [child for name in names if (child := self.supervisor.children.pop(name, None))]
        for child in children:
            if child.process:
                child.process.terminate()
        until = time.monotonic() + seconds
        for child in children:
            if child.process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.1, until - time.monotonic()))
        for process in trees:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for child in children:
            if child.process:
                child.process.wait()

    def wait(self, condition: Callable[[], object], seconds: float, what: str, now: Callable[[], str] = str) -> None:
        """Until the condition holds, telling how it stands. Raises BenchError when late or when a process dies."""
        until = time.monotonic() + seconds
        while not condition():
            self.telling.still(now() or what)
            self._all_live()
            if time.monotonic() > until:
                raise BenchError(f"waited {seconds:g} s in vain for {what}; {now()}")
            time.sleep(STEP)

    def _all_live(self) -> None:
        for child in self.supervisor.children.values():
            if child.process and child.process.poll() is not None:
                raise BenchError(f"{child.name} {told(child.process.returncode)}.\n{end_of(child.log)}")
