"""The metrics for Prometheus. They are read from PostgreSQL at each scrape, since no single process knows them all."""

from collections.abc import Iterator

from django.db import connection
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..ledger import workers
from ..ledger.counts import stats
from ..models import QueueState
from ..settings import declared

OLDEST = """
SELECT declared.queue, extract(epoch FROM greatest(clock_timestamp() - oldest.due_at, interval '0'))
FROM unnest(%s::text[]) AS declared(queue), LATERAL (
    SELECT due_at FROM queues_outbox o WHERE o.queue = declared.queue AND NOT o.withdrawn ORDER BY due_at LIMIT 1
) AS oldest
"""


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(LedgerCollector())
    return generate_latest(registry)


class LedgerCollector(Collector):
    """Reads the metrics of the ledger when Prometheus asks for them."""

    def describe(self) -> list[Metric]:
        return []  # otherwise `register` would call `collect`, which reads the ledger

    def collect(self) -> Iterator[Metric]:
        yield _jobs()
        yield _oldest()
        yield GaugeMetricFamily("bharatmart_workers", "Worker processes with a fresh heartbeat.", len(workers.living()))
        states = {state.name: state for state in QueueState.objects.all()}
        paused = _gauge("bharatmart_queue_paused", "1 while the queue is paused.", ["queue"])
        late = CounterMetricFamily(
            "bharatmart_late_verdicts",
            "Verdicts on jobs that were freed meanwhile; none was written.",
            None,
            ["queue"],
        )
        for name in declared():
            state = states.get(name, QueueState())
            paused.add_metric([name], float(state.paused_at is not None))
            late.add_metric([name], float(state.late_verdicts))
        yield paused
        yield late


def _jobs() -> Metric:
    jobs = _gauge("bharatmart_jobs", "Jobs in the ledger; delayed ones wait for their time.", ["queue", "state"])
    for queue, counts in stats().queues.items():
        for state, count in counts._asdict().items():
            jobs.add_metric([queue, state], count)
    return jobs


def _oldest() -> Metric:
    ages = dict.fromkeys(declared(), 0.0)
    with connection.cursor() as cursor:
        cursor.execute(OLDEST, [list(ages)])
        ages |= {queue: float(seconds) for queue, seconds in cursor.fetchall()}
    metric = _gauge("bharatmart_oldest_waiting_seconds", "How long the oldest job that is due has waited.", ["queue"])
    for queue, seconds in ages.items():
        metric.add_metric([queue], seconds)
    return metric


def _gauge(name: str, help_text: str, labels: list[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, None, labels)
