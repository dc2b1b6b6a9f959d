"""How many jobs a lane may have claimed and not ended: those that run, and a few more if they are short."""

import threading

from .pace import Pace

LONGEST_AHEAD = 0.01
"""Seconds of work that may be claimed ahead for each thread."""
MOST_AHEAD = 500


class Slots:
    """`count` jobs run at once; so many more may be claimed that no thread has to wait for the next claim.

    The longer the jobs take, the fewer are claimed ahead: others could have had them. `ahead=False`: none ever.
    """

    def __init__(self, count: int, pace: Pace, *, ahead: bool) -> None:
        self.count = count
        self.pace = pace
        self.ahead = ahead
        self.taken = 0
        self.changed = threading.Condition()

    @property
    def size(self) -> int:
        if not self.ahead:
            return self.count
        return self.count + min(MOST_AHEAD, int(self.count * LONGEST_AHEAD / max(self.pace.mean, 1e-6)))

    def take(self, wanted: int, timeout: float, gather: float) -> int:
        """Wait for a free slot, then `gather` seconds if that could be many more; take up to `wanted`, or 0."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.taken < self.size, timeout):
                return 0
            many = min(wanted, self.size // 2)
            self.changed.wait_for(lambda: self.size - self.taken >= many, gather)
            granted = max(0, min(wanted, self.size - self.taken))
            self.taken += granted
            return granted

    def free(self, slots: int = 1) -> None:
        with self.changed:
            self.taken -= slots
            self.changed.notify()
