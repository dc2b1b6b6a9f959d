"""Pay, cancel and look at payments over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from orders.models import Order
from payments.jobs import void_payment
from payments.models import Payment
from queues.testing import assert_enqueued, drain

from .factories import PRICE_PAISE, captured_payment, make_customer, make_product, place, submitted_payment
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(settings: Settings) -> Order:
    """An unpaid order; nothing in these requests may speak to a gateway."""
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"
    return place("")


@pytest.fixture
def shopper(order: Order) -> APIClient:
    """The order's customer."""
    client = APIClient()
    client.force_authenticate(order.customer)
    return client


@pytest.fixture
def stranger() -> APIClient:
    client = APIClient()
    client.force_authenticate(make_customer())
    return client


def pay(client: APIClient, order: Order, **body: Any) -> Any:
    return client.post(f"/api/orders/{order.pk}/pay", body, format="json")


def test_pay_is_accepted_and_charged_by_a_job(
    gateway: GatewayProcess, order: Order, shopper: APIClient, settings: Settings
):
    response = pay(shopper, order, payment_token="tok_success")

    assert response.status_code == 202
    assert response.json()["state"] == "created"
    assert response.json()["amount_paise"] == PRICE_PAISE
    assert not {"payment_token", "idempotency_key", "gateway_reference"} & set(response.json())
    assert gateway.entries(Payment.objects.get().idempotency_key) == []


@pytest.mark.django_db(transaction=True)
def test_pay_then_payments_shows_the_outcome(
    gateway_process: GatewayProcess, order: Order, shopper: APIClient, settings: Settings
):
    settings.SIMULATED_GATEWAY_URL = gateway_process.url
    pay(shopper, order, payment_token="tok_decline")
    drain(queue="payment")
    pay(shopper, order, payment_token="tok_success")
    drain(queue="payment")

    body = shopper.get(f"/api/orders/{order.pk}/payments").json()

    assert [(payment["state"], payment["reason"]) for payment in body["results"]] == [
        ("captured", ""),
        ("declined", "The card was declined."),
    ]
    assert body["next"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "payment_token"),
        ({"payment_token": ""}, "payment_token"),
        ({"payment_token": "x" * 256}, "payment_token"),
        ({"payment_token": ["tok_success"]}, "payment_token"),
        ({"payment_token": "tok\0success"}, "payment_token"),
        ({"payment_token": "tok_success", "amount_paise": 1}, "amount_paise"),
    ],
)
def test_bad_pay_request_is_refused(order: Order, shopper: APIClient, body: dict[str, Any], field: str):
    response = pay(shopper, order, **body)

    assert (response.status_code, list(response.json()["fields"])) == (400, [field])
    assert not Payment.objects.exists()
    assert Order.objects.get(pk=order.pk).payment_token == ""


def test_body_that_is_no_object_is_refused(order: Order, shopper: APIClient):
    response = shopper.post(f"/api/orders/{order.pk}/pay", [1], format="json")

    assert response.status_code == 400
    assert not Payment.objects.exists()


def test_second_pay_is_refused_while_the_first_is_open(order: Order, shopper: APIClient):
    pay(shopper, order, payment_token="tok_success")

    response = pay(shopper, order, payment_token="tok_success")

    assert (response.status_code, response.json()["code"]) == (409, "payment_in_progress")
    assert Payment.objects.count() == 1


def test_paid_order_cannot_be_paid_or_cancelled(order: Order, shopper: APIClient):
    captured_payment(order)

    paying, cancelling = pay(shopper, order, payment_token="t"), shopper.post(f"/api/orders/{order.pk}/cancel")

    assert (paying.status_code, paying.json()["code"]) == (409, "order_not_payable")
    assert (cancelling.status_code, cancelling.json()["code"]) == (409, "order_not_cancellable")
    assert Order.objects.get(pk=order.pk).state == "paid"


def test_paying_again_for_goods_that_are_gone_names_them(shopper: APIClient, order: Order):
    product = make_product(on_hand=1)
    late = place("", product, order.customer)
    Order.objects.filter(pk=late.pk).update(state="payment_failed")
    from orders.services import stock

    stock.release(late.pk)
    place("", product)

    response = pay(shopper, late, payment_token="tok_success")

    assert (response.status_code, response.json()["code"]) == (409, "out_of_stock")
    assert list(response.json()["fields"]) == [product.sku]


def test_cancel_ends_an_unpaid_order_and_may_be_repeated(order: Order, shopper: APIClient):
    answers = [shopper.post(f"/api/orders/{order.pk}/cancel") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == {"id": order.pk, "state": "cancelled"}


def test_cancel_is_refused_while_a_payment_is_in_flight(order: Order, shopper: APIClient):
    submitted_payment(order)
    Payment.objects.update(submitted_at=timezone.now() - timedelta(hours=2))

    response = shopper.post(f"/api/orders/{order.pk}/cancel")

    assert (response.status_code, response.json()["code"]) == (409, "payment_in_progress")
    assert Order.objects.get(pk=order.pk).state == "pending"


@pytest.mark.parametrize(("method", "page"), [("post", "pay"), ("post", "cancel"), ("get", "payments")])
def test_another_customers_order_does_not_exist(order: Order, stranger: APIClient, method: str, page: str):
    body = {"payment_token": "tok_success"}

    response = getattr(stranger, method)(f"/api/orders/{order.pk}/{page}", body, format="json")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert Order.objects.get(pk=order.pk).state == "pending"
    assert not Payment.objects.exists()


@pytest.mark.parametrize(("method", "page"), [("post", "pay"), ("post", "cancel"), ("get", "payments")])
def test_nobody_is_let_in_without_logging_in(order: Order, method: str, page: str):
    response = getattr(APIClient(), method)(f"/api/orders/{order.pk}/{page}")

    assert response.status_code in (401, 403)
    assert Order.objects.get(pk=order.pk).state == "pending"


def test_enormous_order_number_is_not_found(shopper: APIClient):
    assert shopper.get(f"/api/orders/{10**30}/payments").status_code == 404


def test_payments_takes_the_same_number_of_statements_for_any_number(
    order: Order, shopper: APIClient, django_assert_max_num_queries: Any
):
    for _ in range(5):
        payment = submitted_payment(order)
        Payment.objects.filter(pk=payment.pk).update(state="declined")

    with django_assert_max_num_queries(8):
        assert len(shopper.get(f"/api/orders/{order.pk}/payments").json()["results"]) == 5


def test_cancellation_of_an_order_whose_payment_waits_is_accepted_and_done_by_a_job(order: Order, shopper: APIClient):
    payment = submitted_payment(order)
    Payment.objects.update(state="pending")

    answers = [shopper.post(f"/api/orders/{order.pk}/cancel") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == {"id": order.pk, "state": "pending"}
    assert_enqueued(void_payment, payment_id=payment.pk)


def test_other_token_takes_the_place_of_a_payment_that_waits(order: Order, shopper: APIClient):
    first = submitted_payment(order)
    Payment.objects.update(state="pending", payment_token="tok_old")

    answer = pay(shopper, order, payment_token="tok_success")

    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert_enqueued(void_payment, payment_id=first.pk)
