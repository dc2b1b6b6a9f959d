"""Rates: `"100/s"` means at most 100 starts in any second, over all processes."""

import re
from dataclasses import dataclass

PERIODS = {"s": 1.0, "m": 60.0, "h": 3600.0}
STEADY = 0.94
"""The part of a rate that is given out at even intervals. Together with the burst, no window exceeds the rate."""
BURST = 0.04
"""The part of a period's starts that may happen at once."""


@dataclass(frozen=True)
class Rate:
    """At most `count` starts in any window of `period` seconds."""

    count: int
    period: float

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """From "100/s", "30/m" or "5/h"; ValueError for anything else."""
        match = re.fullmatch(r"([1-9][0-9]{0,6})/([smh])", text)
        if match is None:
            raise ValueError(f'expected a rate such as "100/s", "30/m" or "5/h", got {text!r}')
        return cls(int(match[1]), PERIODS[match[2]])

    @property
    def burst(self) -> int:
        return max(1, int(self.count * BURST))

    @property
    def interval(self) -> float:
        """Seconds between two starts while jobs are always waiting."""
        return self.period / (self.count * STEADY)
