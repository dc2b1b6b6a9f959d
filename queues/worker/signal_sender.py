"""Sends the signals about reports and verdicts, one after the other, on a thread of its own."""

import logging
from collections.abc import Callable
from queue import Empty, SimpleQueue

log = logging.getLogger(__name__)

MOST_WAITING = 1000
WAIT = 0.2
"""Seconds that a turn waits for something to send."""


class SignalSender:
    """Calls in the order in which they came; a slow receiver of a signal delays the others, and no verdict."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()

    @property
    def is_behind(self) -> bool:
        """So many signals wait that no more jobs should be claimed."""
        return self._calls.qsize() > MOST_WAITING

    def put(self, call: Callable[[], None]) -> None:
        """Have this called soon; it sends a signal whose receivers' errors are logged (`signals.py`)."""
        self._calls.put(call)

    def send(self) -> None:
        """Send all that waits; if nothing does, wait a moment for something."""
        try:
            call = self._calls.get(timeout=WAIT)
            while True:
                call()
                call = self._calls.get_nowait()
        except Empty:
            return
