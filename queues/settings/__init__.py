"""QUEUES and WORKER_…: the declared queues and worker variables, read and checked.

No Django settings are needed to import this package: they import it while they are being read.
"""

from .backoff import Backoff, exponential, fixed
from .environment import tuned_by_environment
from .modes import MODES, Mode, current_mode, mode_named, worker_mode
from .queue import (
    DEFAULT_QUEUE,
    WORKER_TYPES,
    Mistake,
    Queue,
    declared,
    mistakes_in,
    queue_named,
    queues_of,
    suggest,
)
from .rate import Rate
from .rq import rq_queues

__all__ = [
    "DEFAULT_QUEUE",
    "MODES",
    "WORKER_TYPES",
    "Backoff",
    "Mistake",
    "Mode",
    "Queue",
    "Rate",
    "current_mode",
    "declared",
    "exponential",
    "fixed",
    "mistakes_in",
    "mode_named",
    "queue_named",
    "queues_of",
    "rq_queues",
    "suggest",
    "tuned_by_environment",
    "worker_mode",
]
