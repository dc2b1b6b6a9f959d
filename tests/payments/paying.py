"""Orders on their way through Stripe and Razorpay, for tests: asked for, paid by the customer, run by the jobs."""

from typing import Any

from django.test import Client

from orders.models import Order
from payments.models import Payment
from payments.services import collect
from payments.simulator.providers.hooks import Delivery
from payments.simulator.providers.server import Providers
from queues.testing import drain, make_due

from .factories import place


def pending(gateway: str, token: str = "") -> tuple[Order, Payment]:
    """An order whose payment waits for its customer at the gateway."""
    order = place("")
    collect.request_payment(order, token, gateway)
    collect.charge(order.pk)
    return order, Payment.objects.get(order=order)


def customer_pays(providers: Providers, payment: Payment, outcome: str = "captured", amount: int = 0) -> str:
    """Play the customer's part; the name of what can be refunded."""
    if payment.gateway == "razorpay":
        return str(providers.razorpay.customer_pays(payment.intent_reference, outcome, amount)["id"])
    token = "pm_card_chargeDeclined" if outcome == "failed" else "pm_card_visa"
    providers.stripe.customer_pays(payment.intent_reference, token)
    return payment.intent_reference


def deliveries(providers: Providers, payment: Payment) -> list[Delivery]:
    """The provider's events about this payment, signed, oldest first."""
    outbox = providers.account(payment.gateway).outbox
    return [outbox.signed(event) for event in outbox.events if payment.intent_reference in str(event)]


def deliver(provider: str, delivery: Delivery, **headers: str) -> Any:
    """Bring one to the shop's door."""
    given = {**delivery.headers, **headers}
    return Client().post(f"/api/webhooks/{provider}", delivery.body, "application/json", headers=given)


def run_jobs(times: int = 1) -> None:
    """Run what is due on the payment queues, and what snoozes too."""
    for _ in range(times):
        make_due(queue="payment")
        make_due(queue="payment-webhook", name__startswith="payments.apply")
        drain(queue="payment")
        drain(queue="payment-webhook")


def states(order: Order) -> tuple[list[str], str]:
    payments = Payment.objects.filter(order=order).order_by("pk")
    return [payment.state for payment in payments], Order.objects.get(pk=order.pk).state
