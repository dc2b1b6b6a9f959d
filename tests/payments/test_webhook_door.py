"""The webhook door: what is signed is kept and answered at once, everything else changes nothing."""

import json
import time
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from payments.models import ProviderEvent
from payments.services import webhooks
from payments.simulator.providers.hooks import Delivery
from payments.simulator.providers.server import Providers
from queues.models import Job
from queues.testing import drain

from .hooks import PROVIDERS, an_event, outbox, signed
from .paying import customer_pays, deliver, deliveries, pending, states

pytestmark = pytest.mark.django_db(transaction=True)


def nothing_happened() -> bool:
    return not ProviderEvent.objects.exists() and not Job.objects.filter(queue="payment-webhook").exists()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_event_is_kept_with_its_job_and_pays_the_order(providers: Providers, provider: str):
    order, payment = pending(provider)
    customer_pays(providers, payment)

    answers = [deliver(provider, one) for one in deliveries(providers, payment)]
    assert states(order) == (["pending"], "pending")
    drain(queue="payment-webhook")

    assert {answer.status_code for answer in answers} == {200}
    assert states(order) == (["captured"], "paid")
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == {"applied"}
    assert Job.objects.filter(name=f"payments.apply_{provider}_event", state="completed").count() == len(answers)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_same_event_twice_is_one_event_and_one_job(providers: Providers, provider: str):
    _, payment = pending(provider)
    customer_pays(providers, payment)
    event = deliveries(providers, payment)[-1]

    answers = [deliver(provider, event).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert ProviderEvent.objects.count() == 1
    assert Job.objects.filter(name=f"payments.apply_{provider}_event").count() == 1


def test_event_and_job_are_one_transaction(providers: Providers, monkeypatch: pytest.MonkeyPatch):
    def fail(**values: Any) -> None:
        raise RuntimeError("no job")

    monkeypatch.setattr(webhooks.RECEIVED["stripe"], "emit", fail)
    with pytest.raises(RuntimeError, match="no job"):
        deliver("stripe", outbox("stripe").signed(an_event("stripe")))

    assert nothing_happened()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("secret", ["whsec_of_another_account", "whsec_", "razor"])
def test_event_of_another_account_is_refused(providers: Providers, provider: str, secret: str):
    answer = deliver(provider, outbox(provider, secret).signed(an_event(provider)))

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_webhook")
    assert nothing_happened()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_secret_that_is_being_replaced_is_still_good(providers: Providers, provider: str):
    old = {"stripe": "whsec_old", "razorpay": "razor_old"}[provider]

    assert deliver(provider, outbox(provider, old).signed(an_event(provider))).status_code == 200


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_secrets_nobody_is_let_in(providers: Providers, settings: Settings, provider: str):
    settings.STRIPE_WEBHOOK_SECRETS = settings.RAZORPAY_WEBHOOK_SECRETS = []

    for secret in ("", "whsec_fake"):
        body = json.dumps(an_event(provider)).encode()
        forged = outbox(provider, secret or "x").signed(an_event(provider))
        assert deliver(provider, Delivery("", body, forged.headers)).status_code == 400
    assert nothing_happened()


@pytest.mark.parametrize("age", [301, -330, 10**9])
def test_old_or_future_event_of_stripe_is_refused(providers: Providers, age: int):
    at = max(0, time.time() - age)

    assert deliver("stripe", outbox("stripe").signed(an_event("stripe"), at=at)).status_code == 400
    assert nothing_happened()


@pytest.mark.parametrize(
    "header",
    ["", "nonsense", "t=,v1=", "t=1", "v1=abc", "t=x,v1=y", "t=1,t=2,v1=a", "t=99999999999999999999,v1=a", "v1=ü,t=1"],
)
def test_header_that_is_no_signature_is_refused(providers: Providers, header: str):
    delivery = Delivery("", json.dumps(an_event("stripe")).encode(), {"Stripe-Signature": header})

    assert deliver("stripe", delivery).status_code == 400
    assert deliver("razorpay", Delivery("", delivery.body, {"X-Razorpay-Signature": header})).status_code == 400
    assert nothing_happened()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_changed_body_is_refused(providers: Providers, provider: str):
    event = outbox(provider).signed(an_event(provider))

    assert deliver(provider, Delivery("", event.body + b" ", event.headers)).status_code == 400
    assert nothing_happened()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"{}", b"\xff\xfe", b'{"id": 1, "type": 2, "event": 3}', b"[" * 20_000]
)
def test_signed_body_that_is_no_event_is_refused(providers: Providers, provider: str, body: bytes):
    answer = deliver(provider, Delivery("", body, signed(provider, body)))

    assert answer.status_code == 400
    assert nothing_happened()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("size", "status"), [(1_048_576, 413), (1_048_577, 413), (262_145, 413)])
def test_body_that_is_too_large_is_refused(providers: Providers, provider: str, size: int, status: int):
    assert deliver(provider, Delivery("", b"x" * size, signed(provider, b"x" * size))).status_code == status
    assert nothing_happened()


def test_database_that_is_away_makes_the_provider_come_again(providers: Providers, monkeypatch: pytest.MonkeyPatch):
    def be_away(*arguments: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(webhooks, "receive", be_away)
    client = Client(raise_request_exception=False)

    assert client.post("/api/webhooks/stripe", b"{}", "application/json").status_code == 503


@pytest.mark.parametrize(("method", "path", "status"), [("get", "stripe", 405), ("post", "paypol", 404)])
def test_other_doors_are_closed(method: str, path: str, status: int):
    assert getattr(Client(), method)(f"/api/webhooks/{path}").status_code == status
