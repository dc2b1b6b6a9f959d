"""Webhooks to other programs: signed, sent until they are taken, given up in the end."""

import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications import jobs
from notifications.models import Notification, WebhookDelivery, WebhookEndpoint
from notifications.services import webhooks
from queues import Cancel, Permanent, Retry
from queues.models import Job
from queues.testing import drain, make_due
from tests.web import Web

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reachable(settings: Any) -> None:
    settings.DEBUG = True  # for http
    settings.WEBHOOK_NETWORKS = ["127.0.0.1/32"]


def endpoint_at(web: Web, *events: str, **fields: Any) -> WebhookEndpoint:
    made = {"url": f"{web.url}/hook?shop=1", "events": list(events or ["order.paid"]), "contact": "dev@example.in"}
    return WebhookEndpoint.objects.create(**made | fields)


def publish(source: str = "job-1", event: str = "order.paid") -> list[int]:
    return webhooks.publish(event, {"order_id": 42}, source=source)


def delivered(web: Web, **fields: Any) -> WebhookDelivery:
    endpoint_at(web, **fields)
    publish()
    drain(queue="webhook-out", raises=False)
    return WebhookDelivery.objects.get()


def test_an_endpoint_is_told_what_it_asked_for_and_signed(web: Web):
    endpoint = endpoint_at(web)
    endpoint_at(web, "order.shipped")
    endpoint_at(web, is_active=False)

    publish()
    drain(queue="webhook-out")

    (asked,) = web.asked
    delivery = WebhookDelivery.objects.get()
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", "/hook?shop=1", "application/json")
    told = asked.json()
    assert (told["type"], told["data"], told["id"]) == ("order.paid", {"order_id": 42}, str(delivery.message_id))
    assert asked.headers["x-bharatmart-delivery"] == told["id"]
    at, _, signature = asked.headers["x-bharatmart-signature"].removeprefix("t=").partition(",v1=")
    right = hmac.new(endpoint.secret.encode(), f"{at}.".encode() + asked.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(signature, right)
    assert abs(time.time() - int(at)) < 300
    assert (delivery.state, delivery.status_code, delivery.attempts) == ("delivered", 200, 1)


def test_every_endpoint_has_a_secret_of_its_own(web: Web):
    assert endpoint_at(web).secret != endpoint_at(web).secret


def test_one_source_is_told_once(web: Web):
    endpoint_at(web)

    assert [len(publish("job-1")), len(publish("job-1")), len(publish("job-2"))] == [1, 0, 1]


@pytest.mark.parametrize("first", [500, 404, 302, None])
def test_what_is_not_taken_comes_again_with_the_same_body(web: Web, first: int | None):
    web.answer(first, 204, headers={"Location": f"{web.url}/elsewhere"})
    failed = delivered(web)
    assert (failed.state, failed.status_code, failed.attempts) == ("failed", first, 1)
    assert Job.objects.get(name="notifications.deliver_webhook").state == "waiting"

    make_due(name="notifications.deliver_webhook")
    drain(queue="webhook-out")

    assert len(web.asked) == 2
    assert web.asked[0].body == web.asked[1].body
    assert {asked.path for asked in web.asked} == {"/hook?shop=1"}
    assert WebhookDelivery.objects.get().state == "delivered"


def test_a_job_that_runs_again_sends_nothing(web: Web):
    delivery = delivered(web)

    webhooks.deliver(delivery.pk)

    assert len(web.asked) == 1


def test_a_slow_endpoint_is_not_waited_for(web: Web, settings: Any):
    settings.WEBHOOK_TIMEOUT = 0.2
    web.hold = True

    delivery = delivered(web)

    assert delivery.error.startswith("TimeoutError")
    assert delivery.state == "failed"


def test_an_endpoint_that_is_switched_off_is_left_alone(web: Web):
    endpoint_at(web)
    publish()
    WebhookEndpoint.objects.update(is_active=False)

    with pytest.raises(Cancel):
        webhooks.deliver(WebhookDelivery.objects.get().pk)

    assert not web.asked


def test_after_days_of_failures_it_is_switched_off_and_its_contact_is_told_once(web: Web):
    web.answer(500)
    endpoint_at(web, failing_since=timezone.now() - timedelta(days=6))
    first, second = publish("job-1"), publish("job-2")

    for delivery_id in (*first, *second):
        with pytest.raises((Retry, Cancel)):
            webhooks.deliver(delivery_id)

    endpoint = WebhookEndpoint.objects.get()
    webhooks._switch_off_if_dead(endpoint)  # of a delivery that was under way at the same time
    assert not endpoint.is_active
    assert endpoint.switched_off_at is not None
    assert len(web.asked) == 1
    told = Notification.objects.get()
    assert (told.kind, told.to) == ("webhook_switched_off", "dev@example.in")
    assert publish("job-3") == []


def test_one_success_ends_the_days_of_failures(web: Web):
    web.answer(500, 200, 500)
    endpoint_at(web, failing_since=timezone.now() - timedelta(days=4))
    for number in range(3):
        (delivery_id,) = publish(f"job-{number}")
        if number == 1:
            webhooks.deliver(delivery_id)
            assert WebhookEndpoint.objects.get().failing_since is None
        else:
            with pytest.raises(Retry):
                webhooks.deliver(delivery_id)

    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.is_active
    assert endpoint.failing_since is not None
    assert timezone.now() - endpoint.failing_since < timedelta(minutes=1)


def test_sent_again_it_is_the_same_message(web: Web):
    delivery = delivered(web)

    assert webhooks.redeliver(delivery.pk)
    drain(queue="webhook-out")

    assert len(web.asked) == 2
    assert web.asked[0].body == web.asked[1].body
    assert WebhookDelivery.objects.get().state == "delivered"


def test_to_an_endpoint_that_is_off_nothing_is_sent_again(web: Web):
    delivery = delivered(web)
    WebhookEndpoint.objects.update(is_active=False)

    assert not webhooks.redeliver(delivery.pk)

    assert WebhookDelivery.objects.get().state == "delivered"


def test_the_queue_has_its_own_back_off_and_no_job_carries_a_secret(web: Web, caplog: pytest.LogCaptureFixture):
    web.answer(500)
    delivered(web)

    job = Job.objects.get(name="notifications.deliver_webhook")
    assert (job.queue, job.max_attempts, job.key) == ("webhook-out", 8, f"webhook-{WebhookDelivery.objects.get().pk}")
    assert WebhookEndpoint.objects.get().secret not in caplog.text + json.dumps(list(Job.objects.values()), default=str)


def test_old_deliveries_are_deleted(web: Web):
    endpoint_at(web)
    publish("job-1")
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    publish("job-2")

    assert jobs.prune_webhooks() == 1

    assert [delivery.source for delivery in WebhookDelivery.objects.all()] == ["job-2"]


def test_a_refused_address_is_not_tried_again(web: Web, settings: Any):
    settings.WEBHOOK_NETWORKS = []
    endpoint_at(web)
    (delivery_id,) = publish()

    with pytest.raises(Permanent):
        webhooks.deliver(delivery_id)

    assert not web.asked
    assert WebhookDelivery.objects.get().error == "refused: 127.0.0.1 leads to 127.0.0.1"
