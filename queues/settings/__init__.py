"""The declared queues and worker variables, read and checked. Importable while Django's settings are being read."""

from .backoff import Backoff, exponential, fixed
from .queue import (
    DEFAULT_QUEUE,
    MODES,
    WORKER_TYPES,
    Mistake,
    Queue,
    declared,
    get,
    mistakes_in,
    queues_of,
    rq_queues,
    suggest,
    tuned_by_environment,
    worker_mode,
)
from .queue import (
    get as queue_named,
)

__all__ = [
    "DEFAULT_QUEUE",
    "MODES",
    "WORKER_TYPES",
    "Backoff",
    "Mistake",
    "Queue",
    "declared",
    "exponential",
    "fixed",
    "get",
    "mistakes_in",
    "queue_named",
    "queues_of",
    "rq_queues",
    "suggest",
    "tuned_by_environment",
    "worker_mode",
]
