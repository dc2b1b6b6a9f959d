"""What the storefront reads and says of a payment that its customer confirms at the gateway."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from orders.models import Order
from payments.gateways.signatures import sign
from payments.models import Payment
from payments.simulator.providers.server import Providers
from queues.models import Job
from queues.testing import drain

from .factories import make_customer, place
from .paying import customer_pays, pending, run_jobs, states

pytestmark = pytest.mark.django_db(transaction=True)
CLIENT_SIDE = ["stripe", "razorpay"]


def shopper_of(order: Order) -> APIClient:
    client = APIClient()
    client.force_authenticate(order.customer)
    return client


def test_storefront_gets_what_its_customer_needs(providers: Providers):
    for gateway in CLIENT_SIDE:
        order, payment = pending(gateway)
        (told,) = shopper_of(order).get(f"/api/orders/{order.pk}/payments").json()["results"]
        expected = {
            "stripe": {"client_secret": payment.client_secret, "publishable_key": "pk_test_fake"},
            "razorpay": {"order_id": payment.intent_reference, "key_id": "rzp_test_fake"},
        }
        assert told["client"] == expected[gateway]
        customer_pays(providers, payment)
        run_jobs()
        (told,) = shopper_of(order).get(f"/api/orders/{order.pk}/payments").json()["results"]
        assert (told["state"], told["client"]) == ("captured", {})


def test_client_secret_lies_in_no_job_and_no_log(providers: Providers, caplog: pytest.LogCaptureFixture):
    _, payment = pending("stripe")
    customer_pays(providers, payment)
    run_jobs()

    assert payment.client_secret
    assert payment.client_secret not in str(list(Job.objects.values()))
    assert payment.client_secret not in caplog.text


def confirm(client: APIClient, payment: Payment, **body: str) -> Any:
    return client.post(f"/api/payments/{payment.pk}/confirm", body, format="json")


def test_razorpays_checkout_signature_makes_a_job_ask(providers: Providers):
    order, payment = pending("razorpay")
    name = customer_pays(providers, payment)
    proof = sign(f"{payment.intent_reference}|{name}".encode(), "rzp_secret_fake")

    answer = confirm(shopper_of(order), payment, razorpay_payment_id=name, razorpay_signature=proof)
    assert (answer.status_code, states(order)) == (202, (["pending"], "pending"))
    drain(queue="payment")

    assert states(order) == (["captured"], "paid")


@pytest.mark.parametrize("proof", ["", "forged", "ü", sign(b"another|one", "rzp_secret_fake")])
def test_forged_checkout_signature_is_refused(providers: Providers, proof: str):
    order, payment = pending("razorpay")

    answer = confirm(
        shopper_of(order), payment, **{"razorpay_payment_id": "pay_1"} | {"razorpay_signature": proof or "x"}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "signature_mismatch")
    assert not Job.objects.filter(name="payments.check_payment").exists()


def test_strangers_payment_cannot_be_confirmed(providers: Providers):
    _, payment = pending("stripe")
    stranger = APIClient()
    stranger.force_authenticate(make_customer())

    assert confirm(stranger, payment).status_code == 404
    assert confirm(APIClient(), payment).status_code in (401, 403)
    assert not Job.objects.filter(name="payments.check_payment").exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"gateway": "paypol"}, "gateway_not_configured"),
        ({"gateway": "simulated"}, "payment_token_required"),
        ({"gateway": "razorpay", "payment_token": "tok"}, "payment_token_not_wanted"),
    ],
)
def test_gateway_that_cannot_be_paid_with_so_is_refused(providers: Providers, body: dict[str, str], code: str):
    order = place("")

    answer = shopper_of(order).post(f"/api/orders/{order.pk}/pay", body, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Payment.objects.exists()


def test_gateway_without_keys_is_not_offered():
    order = place("")

    answer = shopper_of(order).post(f"/api/orders/{order.pk}/pay", {"gateway": "stripe"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "gateway_not_configured")
