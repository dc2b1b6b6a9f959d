"""Back-off: how many seconds a failed job waits before its next attempt."""

import random
from collections.abc import Callable

Backoff = Callable[[int], float]
"""Takes the number of the attempt that failed (from 1) and returns seconds."""

LONGEST = 24 * 3600.0


def exponential(seconds: float, *, cap: float = 3600.0, jitter: float = 0.2) -> Backoff:
    """`seconds`, then twice as long each time up to `cap`, spread by +-`jitter`; `jitter=1` means full jitter."""

    def wait(attempt: int) -> float:
        longest = min(cap, seconds * 2.0 ** min(attempt - 1, 40))
        if jitter >= 1:
            return random.uniform(0, longest)
        return min(LONGEST, longest * random.uniform(1 - jitter, 1 + jitter))

    return wait


def fixed(seconds: float) -> Backoff:
    """The same `seconds` each time, without jitter."""

    def wait(attempt: int) -> float:
        return min(LONGEST, seconds)

    return wait
