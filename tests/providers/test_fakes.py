"""The fake of both providers does what it says: answers again, tells, forgets, misbehaves, and runs by itself."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from bharatmart.environment import BASE_DIR
from payments.simulator.providers.hooks import Post
from payments.simulator.providers.server import Providers

ORDER: dict[str, Any] = {"amount": 100, "currency": "INR", "receipt": "pay-1"}
INTENT: dict[str, Any] = {"amount": "100", "currency": "inr", "metadata[payment]": "pay-1"}
CARD: dict[str, Any] = {**INTENT, "payment_method": "pm_card_visa", "confirm": "true"}


def stripe(providers: Providers, path: str, key: str = "", **body: Any) -> requests.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return requests.post(f"{providers.address}/stripe/v1/{path}", data=body, headers=headers, timeout=5)


def razorpay(providers: Providers, path: str, key: str = "", **body: Any) -> requests.Response:
    headers = {"X-Refund-Idempotency": key} if key else {}
    return requests.post(f"{providers.address}/razorpay/v1/{path}", json=body, headers=headers, timeout=5)


@pytest.fixture
def own() -> Iterator[Providers]:
    providers = Providers().start()
    yield providers
    providers.stop()


class Shop(BaseHTTPRequestHandler):
    """A door that refuses the first `refusals` webhooks and keeps the others."""

    refusals = 0
    kept: list[str]
    arrived: threading.Event

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        cls = type(self)
        cls.refusals, status = (cls.refusals - 1, 503) if cls.refusals else (0, 200)
        if status == 200:
            cls.kept.append(json.loads(body)["type"])
        self.send_response(status)
        self.end_headers()
        cls.arrived.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def shop() -> Iterator[type[Shop]]:
    door = type("Door", (Shop,), {"kept": [], "arrived": threading.Event()})
    with HTTPServer(("127.0.0.1", 0), door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        door.address = f"http://127.0.0.1:{server.server_port}/api/webhooks/stripe"
        yield door
        server.shutdown()


def test_first_answer_under_a_key_is_given_again(own: Providers):
    answers = [stripe(own, "payment_intents", "key-1", **CARD).json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert len(own.stripe.intents) == 1


def test_key_with_other_parameters_is_refused(own: Providers):
    stripe(own, "payment_intents", "key-1", **CARD)

    answer = stripe(own, "payment_intents", "key-1", **{**CARD, "amount": "200"})

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")


def test_stored_error_is_given_again(own: Providers):
    own.faults.plan("500", "before", part="key-1")

    statuses = [stripe(own, "payment_intents", "key-1", **CARD).status_code for _ in range(2)]

    assert statuses == [500, 500]
    assert own.stripe.intents == {}
    assert stripe(own, "payment_intents", "key-2", **CARD).json()["status"] == "succeeded"


def test_forgotten_key_has_an_effect_again(own: Providers):
    stripe(own, "payment_intents", "key-1", **CARD)
    requests.post(f"{own.address}/control/forget", json={}, timeout=5)

    stripe(own, "payment_intents", "key-1", **CARD)

    assert len(own.stripe.intents) == 2


def test_declined_intent_may_be_paid_again(own: Providers):
    name = stripe(own, "payment_intents", "key-1", **INTENT).json()["id"]

    assert own.stripe.customer_pays(name, "pm_card_chargeDeclined")["error"]["code"] == "card_declined"
    assert own.stripe.customer_pays(name)["status"] == "succeeded"
    assert own.stripe.customer_pays(name)["error"]["code"] == "payment_intent_unexpected_state"


@pytest.mark.parametrize("step", ["capture", "cancel"])
def test_captured_intent_stays_so(own: Providers, step: str):
    name = stripe(own, "payment_intents", "key-1", **CARD).json()["id"]

    assert stripe(own, f"payment_intents/{name}/{step}").status_code == 400
    assert own.stripe.intents[name]["status"] == "succeeded"


def test_razorpay_tells_of_a_payment_twice_as_it_does(own: Providers):
    order = razorpay(own, "orders", **ORDER, payment={"capture": "automatic"}).json()["id"]

    own.razorpay.customer_pays(order)

    kinds = [event["event"] for event in own.razorpay.outbox.events]
    assert kinds == ["payment.authorized", "payment.captured", "order.paid"]


def test_razorpay_refunds_no_more_than_was_captured(own: Providers):
    order = razorpay(own, "orders", **ORDER, payment={"capture": "automatic"}).json()["id"]
    name = own.razorpay.customer_pays(order)["id"]

    answers = [razorpay(own, f"payments/{name}/refund", f"key-{i}", amount=60).status_code for i in range(2)]

    assert answers == [200, 400]


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("429", 429), ("garbage", 200)])
def test_faults_strike_as_often_as_planned(own: Providers, kind: str, status: int):
    requests.post(f"{own.address}/control/faults", json={"kind": kind, "part": "orders", "times": 2}, timeout=5)

    answers = [razorpay(own, "orders", **ORDER) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert len(own.razorpay.orders) == 1


def test_reset_connection_after_the_effect(own: Providers):
    own.faults.plan("reset", "after", part="orders")

    with pytest.raises(requests.ConnectionError):
        razorpay(own, "orders", **ORDER)

    assert len(own.razorpay.orders) == 1


def test_webhook_that_is_refused_is_delivered_again(own: Providers, shop: Any):
    shop.refusals = 1
    own.stripe.outbox.address = shop.address
    stripe(own, "payment_intents", "key-1", **CARD)
    assert shop.arrived.wait(10)

    while not shop.kept:
        own.stripe.outbox.redeliver()

    assert shop.kept == ["payment_intent.succeeded"]


def test_it_runs_as_a_process_of_its_own():
    command = [sys.executable, "-m", "payments.simulator.providers", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=BASE_DIR)
    assert process.stdout
    with process.stdout:
        address = process.stdout.readline().strip().removeprefix("listening on ")
        assert requests.get(f"{address}/control/health", timeout=5).json() == {"status": "ok"}
        process.terminate()
        assert process.wait(timeout=10) == 0


def test_webhooks_are_lost_doubled_and_late_as_told():
    assert Post().delays() == [0.0]
    assert Post(dropped=1.0).delays() == []
    assert Post(twice=1.0).delays() == [0.0, 0.0]
    assert 0 < Post(late=1.0, latest=4.0).delays()[0] <= 4.0
