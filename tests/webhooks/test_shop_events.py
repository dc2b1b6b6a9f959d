"""Which of the shop's events become webhooks, and that each does so once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from bharatmart.webhooks import jobs, services
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhook_types import KNOWN
from orders import events
from orders.services import lifecycle
from queues.models import Job
from queues.ops.actions import retry_jobs
from queues.testing import drain
from tests.orders.shop import make_order, make_paid_order, make_shipped_order
from tests.web import Web

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT, settings.DEBUG, settings.WEBHOOK_NETWORKS = tmp_path, True, ["127.0.0.1/32"]


def endpoint(*wanted: str, url: str = "http://127.0.0.1:9/") -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(url=url, events=list(wanted), contact="dev@example.in")


def told() -> list[tuple[str, Any]]:
    """What was written down: event and data."""
    rows = WebhookDelivery.objects.order_by("pk")
    return [(row.event, json.loads(row.body)["data"]) for row in rows]


def run_subscribers() -> None:
    while waiting := Job.objects.filter(state="waiting", name__startswith="webhooks.").first():
        drain(queue="webhook-out", raises=False)
        assert Job.objects.get(pk=waiting.pk).state == "completed"


def test_an_order_is_told_on_its_way_to_a_program(web: Web):
    endpoint("order.placed", "order.paid", url=web.url)
    order = make_paid_order()

    drain(queue="webhook-out")

    assert [asked.json()["type"] for asked in web.asked] == ["order.placed", "order.paid"]
    assert web.asked[1].json()["data"] == {
        "order_id": order.pk,
        "state": "paid",
        "total_paise": 10_500,
        "currency": "INR",
    }


def test_every_event_of_the_table_is_told():
    endpoint(*jobs.ORDER_EVENTS)
    shipped = make_shipped_order()
    lifecycle.mark_delivered(shipped.pk)
    failed = make_order()
    lifecycle.mark_payment_failed(failed.pk, "declined")
    lifecycle.cancel_order(failed.pk, "late")
    with transaction.atomic():
        events.order_refunded.emit(order_id=shipped.pk, refund_id=1, amount_paise=100)

    run_subscribers()

    assert {event for event, _ in told()} == set(jobs.ORDER_EVENTS)
    assert set(jobs.ORDER_EVENTS) | {"job.completed", "job.failed"} == set(KNOWN)


def test_an_event_that_happens_twice_is_told_twice():
    endpoint("payment.failed")
    order = make_order()
    for _ in range(2):
        lifecycle.mark_payment_failed(order.pk, "declined")
        lifecycle.reopen(order.pk)

    run_subscribers()

    assert [event for event, _ in told()] == ["payment.failed"] * 2


def test_a_subscriber_that_runs_again_tells_once():
    endpoint("order.placed")
    make_order()
    run_subscribers()
    Job.objects.filter(name="webhooks.order_placed").update(state="failed")
    retry_jobs([Job.objects.get(name="webhooks.order_placed").pk], actor="test")
    run_subscribers()

    assert len(told()) == 1


def test_without_endpoints_nothing_is_written():
    make_paid_order()

    drain(queue="webhook-out")

    assert not WebhookDelivery.objects.exists()


def test_ended_jobs_are_told_once_to_those_who_asked(monkeypatch: pytest.MonkeyPatch):
    everything, failures = endpoint("job.completed", "job.failed"), endpoint("job.failed")
    endpoint("order.paid")
    make_order()
    drain(queue="email")
    monkeypatch.setattr(services, "REST", timedelta(minutes=-1))

    assert [services.tell_of_jobs(), services.tell_of_jobs()] == [1, 0]

    ended = Job.objects.get(name="orders.order_confirmation")
    ((event, data),) = told()
    assert (event, WebhookDelivery.objects.get().endpoint) == ("job.completed", everything)
    assert data == {
        "job_id": ended.pk,
        "name": "orders.order_confirmation",
        "queue": "email",
        "subject": ended.subject,
        "state": "completed",
    }
    assert not failures.deliveries.exists()


def test_a_failed_job_is_told_without_its_error(monkeypatch: pytest.MonkeyPatch):
    endpoint("job.failed")
    make_order()
    Job.objects.filter(name="orders.order_confirmation").update(
        state="failed", error="password=hunter2", finished_at=timezone.now()
    )
    monkeypatch.setattr(services, "REST", timedelta(minutes=-1))

    services.tell_of_jobs()

    ((event, _),) = told()
    assert event == "job.failed"
    assert "hunter2" not in WebhookDelivery.objects.get().body


def test_jobs_that_send_webhooks_are_not_told_of(web: Web, monkeypatch: pytest.MonkeyPatch):
    endpoint("job.completed", "order.placed", url=web.url)
    make_order()
    drain(queue="webhook-out")
    monkeypatch.setattr(services, "REST", timedelta(minutes=-1))

    assert services.tell_of_jobs() == 0


def test_many_jobs_are_told_of_in_several_looks(monkeypatch: pytest.MonkeyPatch):
    endpoint("job.completed")
    for _ in range(5):
        make_order()
    drain(queue="email")
    monkeypatch.setattr(services, "BATCH", 2)
    monkeypatch.setattr(services, "REST", timedelta(minutes=-1))

    assert [services.tell_of_jobs() for _ in range(4)] == [2, 2, 1, 0]
