"""The whole shop's settings and the benchmark's own queues and jobs; everything a production worker does, is on."""

from bharatmart.settings import *  # noqa: F403
from bharatmart.settings import INSTALLED_APPS, QUEUE_REDIS_URL, QUEUES
from queues.settings import rq_queues

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.jobapp"]
QUEUES = {
    **QUEUES,
    "bench": {"concurrency": 20, "attempts": 3, "timeout": 60},
    "bench-elsewhere": {"concurrency": 20, "attempts": 3, "timeout": 60},
}
RQ_QUEUES = rq_queues(QUEUES, QUEUE_REDIS_URL)
