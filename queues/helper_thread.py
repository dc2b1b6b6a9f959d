"""The one loop of every helper thread: again and again until stopped; an outage is waited out with growing pauses."""

import logging
import threading
import time
from collections.abc import Callable

from django.db import connection

from .errors import unforeseen
from .postgres import prepared

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
"""Seconds until the next turn after one that failed; they double while turns go on failing."""


class HelperThread:
    """Calls `turn` every `every` seconds on a thread of its own; with 0, as soon as the last turn has ended.

    The seconds count from the beginning of a turn: after one that took longer the next follows at once. What a turn
    raises is logged and does not end the loop. `last_turn` is called once after the loop. `engine_only`: the thread
    executes the engine's statements and no job, see `postgres/prepared.py`.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], object],
        *,
        every: float = 0.0,
        last_turn: Callable[[], object] = lambda: None,
        engine_only: bool = False,
    ) -> None:
        self.name = name
        self.turn = turn
        self.every = every
        self.last_turn = last_turn
        self.engine_only = engine_only
        self.stopping = threading.Event()
        self.pause = 0.0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin no other turn; the one that runs goes on."""
        self.stopping.set()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread, at most so many seconds."""
        self._thread.join(timeout)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        if self.engine_only:
            prepared.use_generic_index_plans()
        wait = self.every
        while not self.stopping.wait(wait):
            wait = self._take_turn()
        try:
            self.last_turn()
        except Exception as error:
            self._log(error, "did not end in good order")
        connection.close()

    def _take_turn(self) -> float:
        """One turn; in how many seconds the next is due."""
        began = time.monotonic()
        try:
            self.turn()
        except Exception as error:
            connection.close()
            self.pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, self.pause * 2))
            self._log(error, f"pauses for {self.pause:.1f} s")
            return self.pause
        self.pause = 0.0
        return max(0.0, self.every - (time.monotonic() - began))

    def _log(self, error: Exception, what: str) -> None:
        log.warning("%s %s: %s", self.name, what, error, exc_info=unforeseen(error))
