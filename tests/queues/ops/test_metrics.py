"""`GET /api/queues/metrics`: what Prometheus scrapes, read from the ledger."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from queues.ledger.verdicts import count_late_verdict
from queues.models import Outbox
from queues.ops import actions
from queues.testing import drain
from tests.jobapp.jobs import record, record_mail
from tests.queues.claims import new_worker

pytestmark = pytest.mark.django_db
URL = "/api/queues/metrics"


def scrape(client: Client, **headers: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and labels, as a scraper understands it."""
    answer = client.get(URL, headers={"Accept": "application/openmetrics-text;version=1.0.0", **headers})
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.content.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_metrics_are_the_numbers_of_the_ledger(admin_client: Client):
    # given jobs in several states, one due since two minutes, a paused queue, a living and a dead worker
    record_mail.enqueue(label="done")
    drain(queue="email")
    old = record.enqueue(label="waits").id
    Outbox.objects.filter(pk=old).update(due_at=timezone.now() - timedelta(minutes=2))
    record.using(run_after=600).enqueue(label="later")
    actions.pause_queue("email", actor="asha")
    new_worker(), new_worker(beat_seconds_ago=600)
    count_late_verdict("order")
    count_late_verdict("order")

    samples = scrape(admin_client)

    assert samples["bharatmart_jobs", "email", "completed"] == 1
    assert samples["bharatmart_jobs", "order", "waiting"] == 1
    assert samples["bharatmart_jobs", "order", "delayed"] == 1
    assert samples["bharatmart_jobs", "reports", "failed"] == 0
    assert 120 <= samples["bharatmart_oldest_waiting_seconds", "order"] < 600
    assert samples["bharatmart_oldest_waiting_seconds", "email"] == 0
    assert samples["bharatmart_queue_paused", "email"] == 1
    assert samples["bharatmart_queue_paused", "order"] == 0
    assert samples["bharatmart_late_verdicts_total", "order"] == 2
    assert samples["bharatmart_late_verdicts_total", "email"] == 0
    assert samples["bharatmart_workers",] == 1


def test_scraper_comes_with_the_token(settings: Any, client: Client):
    settings.METRICS_TOKEN = "a-long-token"

    assert scrape(client, Authorization="Bearer a-long-token")
    for wrong in ("Bearer a-long-toke", "a-long-token", "Bearer", "Bearer \xe9"):
        assert client.get(URL, headers={"Authorization": wrong}).status_code == 401
    assert client.get(URL).json()["code"] == "not_authenticated"


def test_without_a_token_nobody_but_staff_reads_them(settings: Any, client: Client):
    settings.METRICS_TOKEN = ""

    assert client.get(URL, headers={"Authorization": "Bearer "}).status_code == 401
