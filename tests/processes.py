"""Real processes of this project, started as an operator starts them and ended by their pid.

Tests wait for facts with a deadline: `wait_for(lambda: Run.objects.count() == 3)`.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import psutil
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
LONGEST_WAIT = 30.0

T = TypeVar("T")


def wait_for(fact: Callable[[], T | None], *, within: float = LONGEST_WAIT, every: float = 0.02) -> T:
    """Look until the fact is true and return it; AssertionError after `within` seconds."""
    until = time.monotonic() + within
    while not (found := fact()):
        assert time.monotonic() < until, f"not true within {within:g} s; it is {found!r}"
        time.sleep(every)
    return found


def database_url() -> str:
    """The database of this test process, for processes that it starts."""
    parts = connection.settings_dict
    account = f"{quote(parts['USER'], safe='')}:{quote(parts['PASSWORD'], safe='')}"
    return f"postgresql://{account}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"


def cut_connections() -> int:
    """Have PostgreSQL end every connection to this database but this thread's, as a restart does; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


class Started:
    """A started process: its pid, what it has written so far, its end."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("wb") as output:
            self.popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self.popen.pid

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def lives(self) -> bool:
        return self.popen.poll() is None

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL this one process, and wait until it is gone."""
        self.popen.kill()
        self.popen.wait(10)

    def exit_code(self, within: float = LONGEST_WAIT) -> int:
        """Wait for the end."""
        try:
            return self.popen.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.log.name} did not end within {within:g} s") from None

    def stop(self, within: float = LONGEST_WAIT) -> int:
        """SIGTERM, then wait for the exit code."""
        self.send(signal.SIGTERM)
        return self.exit_code(within)

    def end(self) -> None:
        """Kill it and all that it forked."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait(10)


class Processes:
    """Starts processes for one test; `end` kills those that are left and tells what they wrote."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.started: list[Started] = []

    def manage(self, *words: str, **environment: str) -> Started:
        """`manage.py …` with these variables besides the usual ones."""
        return self.run(sys.executable, "-W", "default", "manage.py", *words, name="-".join(words), **environment)

    def run(self, *command: str, name: str, **environment: str) -> Started:
        log = self.folder / f"{len(self.started)}-{name.replace('/', '_')[:60]}.log"
        values = {**os.environ, "DATABASE_URL": database_url(), **self.environment, **environment}
        self.started.append(Started(list(command), log, values))
        return self.started[-1]

    def end(self) -> None:
        for process in self.started:
            process.end()
            print(f"--- {process.log.name} (exit code {process.popen.returncode})\n{process.output}")


def children_of(pid: int) -> list[psutil.Process]:
    """The processes that it forked, and theirs."""
    return psutil.Process(pid).children(recursive=True)


def is_gone(pid: int) -> bool:
    """Whether the process has ended; an orphan may stay as a zombie where nobody reaps."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
