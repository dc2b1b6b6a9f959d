"""The rows of the table, in the order of their importance."""

from .base import Row
from .drain import Drain

ROWS: list[Row] = [
    Drain("drain_noop_c20_1proc", "noop", slots=1),
    Drain("drain_noop_c20_2proc", "noop", slots=2),
    Drain("outbox_noop_c20_1proc", "noop", slots=1, systems=("from-outbox",)),
    Drain("outbox_noop_c20_2proc", "noop", slots=2, systems=("from-outbox",)),
    Drain("jobs_20ms_c20", "nap", slots=1),
]
