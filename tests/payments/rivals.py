"""Threads that meet on the exact line of a race."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


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
        self._thread.join(timeout=20)
        assert not self._thread.is_alive(), "the rival hangs"
        if self.error:
            raise self.error
        return self.result

    def is_held_up(self, seconds: float = 0.4) -> bool:
        """True if it is still at it after so long."""
        self._thread.join(timeout=seconds)
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error
        finally:
            connection.close()


def at_once(*works: Callable[[], Any]) -> list[Rival]:
    """Run all of them from the same moment on; finished, with results and errors."""
    barrier = threading.Barrier(len(works))

    def after_all_are_ready(work: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: (barrier.wait(10), work())[1]

    rivals = [Rival(after_all_are_ready(work)).start() for work in works]
    for rival in rivals:
        rival.is_held_up(20)
    return rivals
