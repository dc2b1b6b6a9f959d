"""Staff registers endpoints, looks at what was sent, and sends it again: by API and in the admin."""

from typing import Any

import pytest
from django.test import Client

from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.services import webhooks
from queues.models import Job
from tests.orders.shop import api, make_user, staff

pytestmark = pytest.mark.django_db
URL = "/api/webhooks/out"
WISH = {"url": "https://erp.example/hook", "events": ["order.paid", "job.failed"], "contact": "dev@example.in"}
ALL = ("view_webhookendpoint", "add_webhookendpoint", "change_webhookendpoint", "delete_webhookendpoint")


def make_delivery(**fields: Any) -> WebhookDelivery:
    made: dict[str, Any] = {"url": "https://erp.example/hook", "events": ["order.paid"], "contact": "dev@example.in"}
    WebhookEndpoint.objects.create(**made | fields)
    webhooks.tell(WebhookEndpoint.objects.all(), "order.paid", {"order_id": 1}, "job-1")
    Job.objects.all().delete()
    return WebhookDelivery.objects.get()


def test_the_secret_is_shown_when_it_is_registered_and_never_again():
    client = api(staff(*ALL))

    made = client.post(URL, WISH)

    endpoint = WebhookEndpoint.objects.get()
    assert (made.status_code, made.json()["secret"]) == (201, endpoint.secret)
    assert endpoint.events == ["job.failed", "order.paid"]
    for answer in (client.get(URL), client.get(f"{URL}/{endpoint.pk}"), client.patch(f"{URL}/{endpoint.pk}", {})):
        assert answer.status_code == 200
        assert endpoint.secret not in answer.content.decode()


def test_the_secret_cannot_be_chosen():
    api(staff(*ALL)).post(URL, WISH | {"secret": "mine"})

    assert WebhookEndpoint.objects.get().secret.startswith("whsec_")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "ftp://erp.example"), ("url", "https://user:pw@erp.example"), ("url", ""), ("events", []),
        ("events", ["order.eaten"]), ("contact", "nobody"),
    ],
)  # fmt: skip
def test_a_registration_that_cannot_work_is_refused(field: str, value: Any):
    answer = api(staff(*ALL)).post(URL, WISH | {field: value})

    assert (answer.status_code, [name.split(".")[0] for name in answer.json()["fields"]]) == (400, [field])
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize("who", [make_user, staff])
def test_others_see_and_change_nothing(who: Any):
    delivery = make_delivery()
    client, own = api(who()), f"{URL}/{delivery.endpoint_id}"

    answers = [
        client.get(URL), client.post(URL, WISH), client.get(own), client.patch(own, {"is_active": False}),
        client.delete(own), client.get(f"{own}/deliveries"), client.post(f"{URL}/deliveries/{delivery.pk}/redeliver"),
    ]  # fmt: skip

    assert {answer.status_code for answer in answers} == {403}
    assert WebhookEndpoint.objects.get().is_active
    assert not Job.objects.exists()


def test_deliveries_are_listed_and_sent_again():
    delivery = make_delivery()
    WebhookDelivery.objects.update(state="delivered")
    client = api(staff("view_webhookdelivery", "redeliver_webhook"))

    (listed,) = client.get(f"{URL}/{delivery.endpoint_id}/deliveries").json()["results"]
    again = client.post(f"{URL}/deliveries/{delivery.pk}/redeliver")

    assert (listed["event"], listed["state"], listed["message_id"]) == (
        "order.paid",
        "delivered",
        str(delivery.message_id),
    )
    assert (again.status_code, again.json()["state"]) == (202, "pending")
    assert Job.objects.get().args == {"delivery_id": delivery.pk}


def test_to_an_endpoint_that_is_off_nothing_is_sent_again():
    delivery = make_delivery()
    WebhookEndpoint.objects.update(is_active=False)

    answer = api(staff("redeliver_webhook")).post(f"{URL}/deliveries/{delivery.pk}/redeliver")

    assert (answer.status_code, answer.json()["code"]) == (409, "endpoint_off")
    assert not Job.objects.exists()


def test_switched_on_again_its_failures_are_forgotten():
    delivery = make_delivery()
    WebhookEndpoint.objects.update(is_active=False, failing_since=delivery.created_at, switched_off_at="2026-01-01T00Z")

    answer = api(staff(*ALL)).patch(f"{URL}/{delivery.endpoint_id}", {"is_active": True})

    assert (answer.json()["is_active"], answer.json()["failing_since"], answer.json()["switched_off_at"]) == (
        True,
        None,
        None,
    )


def admin_client(*permissions: str) -> Client:
    client = Client()
    client.force_login(staff(*permissions))
    return client


def test_the_admin_registers_and_shows_the_secret_once():
    client = admin_client(*ALL)

    page = client.post(
        "/admin/notifications/webhookendpoint/add/", WISH | {"is_active": "on"}, follow=True
    ).content.decode()

    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.secret in page
    again = client.get(f"/admin/notifications/webhookendpoint/{endpoint.pk}/change/").content.decode()
    assert "https://erp.example/hook" in again
    assert endpoint.secret not in again


def test_the_admin_sends_again_with_the_permission_alone():
    delivery = make_delivery()
    sent = {"action": "redeliver_selected", "_selected_action": [delivery.pk]}
    url = "/admin/notifications/webhookdelivery/"

    admin_client("view_webhookdelivery").post(url, sent)
    assert not Job.objects.exists()
    page = admin_client("view_webhookdelivery", "redeliver_webhook").post(url, sent, follow=True).content.decode()

    assert "1 will be sent again" in page
    assert Job.objects.get().args == {"delivery_id": delivery.pk}
