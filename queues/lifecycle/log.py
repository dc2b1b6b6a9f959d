"""A job's last log lines, kept with its attempt."""

import threading
from collections import deque

LINES = 200
CHARACTERS = 20_000


class JobLog:
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
