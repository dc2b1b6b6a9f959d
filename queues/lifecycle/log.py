"""A job's own log lines, kept with its attempt.

`KeptLogHandler` belongs to the root logger (bharatmart/log.py) and keeps what is logged by the thread that runs
a job. The engine's own lines are left out.
"""

import copy
import logging
import threading
import time
from collections import deque

LINES = 200
CHARACTERS = 20_000


class KeptLog:
    """The last LINES lines, at most CHARACTERS characters of them."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, text: str) -> None:
        """Add its lines and drop the oldest that are too many."""
        with self._lock:
            for line in text.splitlines():
                self._lines.append(line[:CHARACTERS])
                self._size += len(self._lines[-1]) + 1
                while len(self._lines) > LINES or self._size - 1 > CHARACTERS:
                    self._size -= len(self._lines.popleft()) + 1

    def replace(self, text: str) -> None:
        """Have these lines and no others."""
        with self._lock:
            self._lines.clear()
            self._size = 0
        self.add(text)

    def text(self) -> str:
        with self._lock:
            return "\n".join(self._lines)


class KeptLogHandler(logging.Handler):
    """Keeps records of INFO and above with the job that this thread runs: `12:34:56 INFO orders.x: message`.

    Its formatter gives the message alone. Tracebacks are not kept here: the attempt has the one that counts.
    """

    def __init__(self) -> None:
        super().__init__(level=logging.INFO)
        self.addFilter(_is_of_a_job)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._keep(record)
        except Exception:
            self.handleError(record)

    def _keep(self, record: logging.LogRecord) -> None:
        from ..context import current_job

        running = current_job.get()
        if running is not None:
            bare = copy.copy(record)
            bare.exc_info = bare.exc_text = bare.stack_info = None
            at = time.strftime("%H:%M:%S", time.localtime(record.created))
            running.log.add(f"{at} {record.levelname} {record.name}: {self.format(bare)}")


def _is_of_a_job(record: logging.LogRecord) -> bool:
    if record.name.startswith("queues."):
        return False
    from ..context import current_job

    return current_job.get() is not None
