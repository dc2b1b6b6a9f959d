"""Threads that meet on the exact line of a race."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection

LONGEST = 20.0


class Rival:
    """Another process's work, in a thread with a database connection of its own."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._thread = threading.Thread(target=self._run)
        self.result: Any = None
        self.error: BaseException | None = None

    def start(self) -> "Rival":
        self._thread.start()
        return self

    def finish(self) -> Any:
        """Wait for it; its result, or its error raised here."""
        self.join()
        assert not self._thread.is_alive(), "the rival hangs"
        if self.error:
            raise self.error
        return self.result

    def join(self) -> None:
        self._thread.join(timeout=LONGEST)

    def is_held_up(self) -> bool:
        """True once it, or another, waits for a lock of this thread's transaction; False once it has ended."""
        until = time.monotonic() + LONGEST
        while self._thread.is_alive():
            if somebody_waits():
                return True
            assert time.monotonic() < until, "the rival neither waits for a lock nor ends"
            time.sleep(0.01)
        return False

    def _run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error
        finally:
            connection.close()


def somebody_waits() -> bool:
    """True if another connection waits for a lock that this thread's transaction holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return cursor.fetchone() is not None


def at_once(*works: Callable[[], Any]) -> list[Rival]:
    """Run all of them from the same moment on; finished, with results and errors."""
    barrier = threading.Barrier(len(works))

    def after_all_are_ready(work: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: (barrier.wait(10), work())[1]

    rivals = [Rival(after_all_are_ready(work)).start() for work in works]
    for rival in rivals:
        rival.join()
    return rivals
