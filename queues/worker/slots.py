"""How many jobs a lane may have claimed and not ended: those that run, and a few more if they are short."""

import threading
import time

from .pace import Pace

LONGEST_AHEAD = 0.02
"""Seconds of work that may be claimed ahead for each thread; when half of it is begun the next is claimed."""
MOST_AHEAD = 500
FEW_AHEAD = 4
"""If fewer are claimed ahead, threads soon wait for a claim."""


class Slots:
    """`count` jobs run at once; so many more may be claimed that no thread has to wait for the next claim.

    The longer the jobs take, the fewer are claimed ahead: others could have had them. `ahead=False`: none ever.
    """

    def __init__(self, count: int, pace: Pace, *, ahead: bool) -> None:
        self.count = count
        self.pace = pace
        self.ahead = ahead
        self.taken = 0
        self.enough = 1
        self.changed = threading.Condition()

    @property
    def size(self) -> int:
        if not self.ahead:
            return self.count
        return self.count + min(MOST_AHEAD, int(self.count * LONGEST_AHEAD / max(self.pace.mean, 1e-6)))

    def take(self, wanted: int, timeout: float, gather: float) -> int:
        """Wait for a free slot, then a while if that could be many more; take up to `wanted`, or 0.

        The while: as long as enough is claimed ahead for the threads, else `gather` seconds. The size may have shrunk
        meanwhile: then wait anew.
        """
        until = time.monotonic() + timeout
        with self.changed:
            while self._wait_for(1, until - time.monotonic()):
                ahead = self.size - self.count
                if ahead < FEW_AHEAD:
                    self._wait_for(min(wanted, self.size // 2), gather)
                else:
                    self._wait_for(min(wanted, ahead // 2), LONGEST_AHEAD / 2)
                granted = min(wanted, self.size - self.taken)
                if granted > 0:
                    self.taken += granted
                    return granted
        return 0

    def free(self, slots: int = 1) -> None:
        with self.changed:
            self.taken -= slots
            if self.size - self.taken >= self.enough:
                self.changed.notify()

    def _wait_for(self, enough: int, seconds: float) -> bool:
        """Until so many are free; whoever waits is woken no sooner, since each time it stops a job's thread."""
        self.enough = enough
        return self.changed.wait_for(lambda: self.size - self.taken >= enough, max(0.0, seconds))
