"""Figures from runs: medians, quantiles, ratios."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

HIGHER_IS_BETTER = frozenset({"jobs/s", "orders/s", "%"})


@dataclass
class Figure:
    """What the runs of one system gave in one row; its value is their median."""

    row: str
    system: str
    unit: str
    runs: list[float] = field(default_factory=list)

    @property
    def value(self) -> float:
        return rounded(statistics.median(self.runs))

    def as_json(self) -> dict[str, object]:
        runs = [rounded(run) for run in self.runs]
        return {"row": self.row, "system": self.system, "value": self.value, "unit": self.unit, "runs": runs}


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def rounded(value: float) -> float:
    """Four significant digits: more would be noise."""
    return float(f"{value:.4g}")


def ratio(ours: Figure, peer: Figure) -> float:
    """How many times better ours is: above 1 we win, whichever direction is good for the unit."""
    if not ours.value or not peer.value:
        return math.nan
    better = ours.value / peer.value
    return better if ours.unit in HIGHER_IS_BETTER else 1 / better
