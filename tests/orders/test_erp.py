"""The ERP is told of paid orders: signed, under a stable key, the same body every time, until it has taken it."""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
import requests

from bharatmart.environment import BASE_DIR
from orders import jobs
from orders.models import ErpDelivery, Order
from orders.services import erp, lifecycle, shipping
from queues import Permanent, Retry
from queues.models import Job
from queues.testing import drain, make_due
from tests.orders.shop import make_order, make_paid_order
from tests.web import Asked, Web

pytestmark = pytest.mark.django_db

SECRET = "shared-with-the-erp-only"


@pytest.fixture(autouse=True)
def connected(web: Web, settings: Any) -> None:
    settings.ERP_URL, settings.ERP_SECRET = f"{web.url}/orders", SECRET


def is_signed(asked: Asked, secret: str = SECRET) -> bool:
    """As the receiver checks it."""
    at, _, signature = asked.headers["x-bharatmart-signature"].removeprefix("t=").partition(",v1=")
    right = hmac.new(secret.encode(), f"{at}.".encode() + asked.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature, right) and abs(time.time() - int(at)) < 300


def test_a_paid_order_is_told_signed_and_keyed(web: Web):
    order = make_paid_order(shipping={"name": "प्रिया"})

    key = erp.sync(order.pk)

    (asked,) = web.asked
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", "/orders", "application/json")
    assert asked.headers["idempotency-key"] == key == f"order-{order.pk}-paid"
    assert is_signed(asked)
    assert not is_signed(asked, "another secret")
    told = asked.json()
    assert (told["order_id"], told["state"], told["total_paise"]) == (order.pk, "paid", 10_500)
    assert (told["lines"][0]["sku"], told["shipping"]["name"]) == ("RICE", "प्रिया")
    delivery = ErpDelivery.objects.get()
    assert (delivery.key, delivery.attempts, delivery.answer) == (key, 1, "200")
    assert delivery.delivered_at is not None
    assert delivery.body.encode() == asked.body


def test_every_state_is_told_once(web: Web):
    order = make_paid_order()
    lifecycle.begin_processing(order.pk)
    erp.sync(order.pk)
    shipping.ship(order.pk, shipping.Parcel("BlueDart", "BD-1"))

    for _ in range(3):
        erp.sync(order.pk)

    told = [asked.json() for asked in web.asked]
    assert [one["state"] for one in told] == ["processing", "shipped"]
    assert told[0]["sequence"] < told[1]["sequence"]


@pytest.mark.parametrize("first", [500, 503, 302, 408, 429, None])
def test_what_may_be_mended_is_sent_again_to_the_byte(web: Web, first: int | None):
    order = make_paid_order()
    web.answer(first, 201)
    with pytest.raises((Retry, requests.RequestException)):
        erp.sync(order.pk)
    undelivered = ErpDelivery.objects.get()
    Order.objects.update(email="changed@example.in")

    erp.sync(order.pk)

    one, two = web.asked
    assert undelivered.delivered_at is None
    assert (one.body, one.headers["idempotency-key"]) == (two.body, two.headers["idempotency-key"])
    assert ErpDelivery.objects.get().delivered_at is not None


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
def test_a_refusal_is_final_and_kept(web: Web, status: int):
    order = make_paid_order()
    web.answer(status)

    with pytest.raises(Permanent):
        erp.sync(order.pk)

    delivery = ErpDelivery.objects.get()
    assert (delivery.answer, delivery.delivered_at) == (str(status), None)


def test_the_job_comes_again_with_back_off_and_shows_no_secret(web: Web, caplog: pytest.LogCaptureFixture):
    make_paid_order()
    web.answer(503, 200)

    drain(queue="order", raises=False)
    first = Job.objects.get(name="orders.sync_with_erp")
    assert (first.state, first.attempt) == ("waiting", 1)
    make_due(name="orders.sync_with_erp")
    drain(queue="order")

    done = Job.objects.get(name="orders.sync_with_erp")
    assert (done.state, done.queue) == ("completed", "order")
    assert SECRET not in caplog.text + json.dumps(list(Job.objects.values()), default=str)


def test_what_was_never_paid_is_not_told(web: Web):
    order = make_order()
    lifecycle.cancel_order(order.pk, "late")

    assert erp.sync(order.pk) == ""

    assert not web.asked
    assert not ErpDelivery.objects.exists()


def test_without_an_erp_nothing_is_told(web: Web, settings: Any):
    settings.ERP_URL = ""
    order = make_paid_order()

    assert jobs.sync_with_erp(order.pk) == ""

    assert not web.asked
    assert not ErpDelivery.objects.exists()


def start_with(**variables: str) -> str:
    """What the settings say to these variables."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ERP_")} | variables
    run = subprocess.run(
        [sys.executable, "-c", "import bharatmart.settings"],
        env=environment,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stderr


def test_half_a_configuration_is_refused():
    assert "ERP_SECRET: is not set, but ERP_URL needs it" in start_with(ERP_URL="https://erp.example/orders")
    assert "ERP_URL: expected an http or https address" in start_with(ERP_URL="erp.example", ERP_SECRET="x")
    assert start_with(ERP_URL="https://erp.example/orders", ERP_SECRET="x") == ""
