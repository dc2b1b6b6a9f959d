"""How long the jobs of a lane take, learned from those that ended."""

UP, DOWN = 1.05, 0.9
"""Steps that balance where a third of the jobs take less: ln(1.05) * 2/3 + ln(0.9) * 1/3 is about 0."""
LEARNING = 0.1
SHORTEST = 1e-6


class Pace:
    """Seconds that a job takes: the `mean`, and what the `short` ones take, a third of all.

    A job that waits for the interpreter, because many threads run at once, takes long by the clock, but never a third
    of them does. Both begin with a second, as if nothing were known to be short.
    """

    def __init__(self) -> None:
        self.mean = 1.0
        self.short = 1.0

    def learn(self, seconds: float) -> None:
        self.mean += LEARNING * (seconds - self.mean)
        self.short = max(SHORTEST, self.short * (UP if seconds > self.short else DOWN))
