"""Nonsense at the webhook door of the shop as it is deployed: answered with 4xx, or kept with 200; nothing changes."""

from collections.abc import Iterator
from typing import Any

import pytest

from orders.models import Order
from payments.models import Payment, PaymentEvent, ProviderEvent, Refund
from payments.simulator.providers.server import Providers
from queues.models import Job
from queues.testing import drain
from tests.processes import Processes, wait_for
from tests.queues.worker.web_process import Web

from .hooks import PROVIDERS, an_event
from .paying import pending
from .webhook_requests import Request, forged, let_in, refused, right, send

pytestmark = pytest.mark.django_db(transaction=True)
SECRETS = {"STRIPE_WEBHOOK_SECRETS": "whsec_old,whsec_fake", "RAZORPAY_WEBHOOK_SECRETS": "razor_old,razor_fake"}
KEYS = {
    "STRIPE_SECRET_KEY": "sk_x",
    "STRIPE_PUBLISHABLE_KEY": "pk_x",
    "RAZORPAY_KEY_ID": "x",
    "RAZORPAY_KEY_SECRET": "x",
}


@pytest.fixture(scope="module")
def door(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a gunicorn on this test's database, with Django's errors as production has them."""
    with django_db_blocker.unblock():
        processes = Processes(tmp_path_factory.mktemp("door"), {**SECRETS, **KEYS, "WORKER_MODE": "none"})
        web = Web(processes)
        wait_for(lambda: web.status() == 200)
    yield web.port
    processes.end()


def everything() -> list[Any]:
    """All that a webhook could touch."""
    rows = [list(model.objects.order_by("pk").values()) for model in (Payment, PaymentEvent, Refund)]
    return [*rows, list(Order.objects.order_by("pk").values("pk", "state", "total_paise"))]


@pytest.mark.parametrize("case", refused("stripe"))
@pytest.mark.parametrize("provider", PROVIDERS)
def test_nonsense_is_refused_and_changes_nothing(providers: Providers, door: int, provider: str, case: str):
    pending(provider)
    before = everything()
    request, statuses = refused(provider)[case]

    assert send(door, request.sent(provider)) in statuses

    assert not ProviderEvent.objects.exists()
    assert not Job.objects.filter(queue="payment-webhook").exists()
    assert everything() == before


@pytest.mark.parametrize("age", [301, -330])
def test_event_of_another_time_is_refused(providers: Providers, door: int, age: int):
    assert send(door, forged("stripe", "whsec_fake", age).sent("stripe")) == 400
    assert send(door, forged("stripe", "whsec_fake").sent("stripe")) == 200
    assert ProviderEvent.objects.count() == 1


@pytest.mark.parametrize("case", let_in("stripe", ""))
@pytest.mark.parametrize("provider", PROVIDERS)
def test_strange_event_is_kept_and_changes_nothing(providers: Providers, door: int, provider: str, case: str):
    _, payment = pending(provider)
    before = everything()

    answers = [send(door, let_in(provider, payment.intent_reference)[case].sent(provider)) for _ in range(2)]
    drain(queue="payment-webhook")

    assert answers == [200, 200]
    assert ProviderEvent.objects.get().state in ("unknown", "unmatched", "applied")
    assert Job.objects.filter(name=f"payments.apply_{provider}_event", state="completed").count() == 1
    assert everything() == before


def test_razorpay_event_is_known_by_its_header_or_else_by_its_body(door: int):
    named = right("razorpay", an_event("razorpay"), ("X-Razorpay-Event-Id", "evt_1"))
    twice = Request(named.body, [*named.headers, ("X-Razorpay-Event-Id", "evt_2")])

    answers = [send(door, request.sent("razorpay")) for request in (named, twice, right("razorpay", named.body))]

    assert answers == [200, 200, 200]
    assert ProviderEvent.objects.count() == 3
