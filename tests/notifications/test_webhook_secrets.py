"""The secrets of endpoints: encrypted in the database, readable while the key is replaced, shown once."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from notifications import jobs, sealing
from notifications.errors import SecretUnreadable
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.services import webhooks
from queues import Permanent
from tests.web import Web

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = "the-key-of-last-year-" + "0" * 40, "the-key-of-this-year-" + "1" * 40


@pytest.fixture
def endpoint(settings: Any, web: Web) -> WebhookEndpoint:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    settings.DEBUG = True
    return WebhookEndpoint.objects.create(url=f"{web.url}/hook", events=["order.paid"], contact="dev@example.in")


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM notifications_webhookendpoint e")
        return str(cursor.fetchone()[0])


def test_the_database_does_not_hold_the_secret(endpoint: WebhookEndpoint):
    assert endpoint.secret.startswith("whsec_")
    assert endpoint.secret not in stored()
    assert WebhookEndpoint.objects.get().secret == endpoint.secret


def test_same_secret_is_sealed_otherwise_each_time(settings: Any):
    first, second = sealing.seal("whsec_x"), sealing.seal("whsec_x")

    assert first != second
    assert sealing.unseal(first) == sealing.unseal(second) == "whsec_x"


def test_secret_is_readable_while_the_key_is_replaced_and_is_sealed_anew(endpoint: WebhookEndpoint, settings: Any):
    secret = endpoint.secret
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, ["older", OLD]
    assert WebhookEndpoint.objects.get().secret == secret

    assert [jobs.seal_webhook_secrets(), jobs.seal_webhook_secrets()] == [1, 0]

    settings.SECRET_KEY_FALLBACKS = []
    assert WebhookEndpoint.objects.get().secret == secret


def test_secret_under_a_key_that_is_gone_is_told_and_nothing_is_sent(
    endpoint: WebhookEndpoint, settings: Any, web: Web
):
    settings.SECRET_KEY = NEW
    (delivery_id,) = webhooks.publish("order.paid", {"order_id": 1}, source="order-1-paid")
    before = stored()

    with pytest.raises(SecretUnreadable):
        _ = endpoint.secret
    with pytest.raises(Permanent, match="SECRET_KEY_FALLBACKS"):
        webhooks.deliver(delivery_id)

    assert not web.asked
    assert "SECRET_KEY_FALLBACKS" in WebhookDelivery.objects.get().error
    assert jobs.seal_webhook_secrets() == 0
    assert "sealed_secret" in before
    assert WebhookEndpoint.objects.get().sealed_secret == endpoint.sealed_secret


@pytest.mark.parametrize("forged", ["", "whsec_plain", "gAAAAA", "\u0939"])
def test_what_is_not_sealed_by_us_is_not_read(forged: str):
    with pytest.raises(SecretUnreadable):
        sealing.unseal(forged)


def test_changed_text_is_not_read(endpoint: WebhookEndpoint):
    sealed = endpoint.sealed_secret

    with pytest.raises(SecretUnreadable):
        sealing.unseal(sealed[:-10] + ("A" if sealed[-10] != "A" else "B") + sealed[-9:])


def test_endpoints_of_before_keep_their_secret(settings: Any):
    def migrate(name: str) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("notifications", name)])
        return executor.loader.project_state([("notifications", name)]).apps.get_model(
            "notifications", "WebhookEndpoint"
        )

    try:
        migrate("0002_webhooks").objects.create(url="https://x", events=[], contact="a@b.in", secret="whsec_before")
        migrate("0003_sealed_webhook_secrets")
        assert (WebhookEndpoint.objects.get().secret, "whsec_before" in stored()) == ("whsec_before", False)
        assert migrate("0002_webhooks").objects.get().secret == "whsec_before"
    finally:
        migrate("0003_sealed_webhook_secrets")
