"""A payment's provider events in any order, twice, late or not at all, with polls between: they end in one state."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.models import Order
from payments.models import Payment, ProviderEvent, Refund
from payments.services import reconciliation
from payments.simulator.providers.hooks import Delivery
from payments.simulator.providers.server import Providers
from queues.models import Job
from tests.examples import examples

from .factories import PRICE_PAISE
from .paying import customer_pays, deliver, deliveries, pending, run_jobs

pytestmark = pytest.mark.django_db(transaction=True)
ACTS = st.lists(st.sampled_from(["failed", "captured", "authorized"]), min_size=1, max_size=3)
CHOICES = st.lists(st.integers(0, 11), max_size=8)


def final_state(order: Order) -> tuple[Any, ...]:
    """Whether it is paid, what our books keep of its money, and how often it was told."""
    order.refresh_from_db()
    payments = list(Payment.objects.filter(order=order).order_by("pk"))
    kept = sum(payment.refundable_paise for payment in payments)
    told = Job.objects.filter(name="orders.process_order", args__order_id=order.pk).count()
    open_refunds = Refund.objects.filter(payment__order=order).exclude(state="succeeded").count()
    return order.state, sorted(payment.state for payment in payments), kept, told, open_refunds


def kept_by_provider(providers: Providers, payment: Payment) -> int:
    if payment.gateway == "stripe":
        intent = providers.stripe.intents[payment.intent_reference]
        charge = intent["latest_charge"] or {"amount_refunded": 0}
        return int(intent["amount_received"] - charge["amount_refunded"])
    of = [one for one in providers.razorpay.payments.values() if one["order_id"] == payment.intent_reference]
    taken = [one for one in of if one["status"] in ("captured", "refunded")]
    return sum(one["amount"] - one["amount_refunded"] for one in taken)


def play(providers: Providers, gateway: str, acts: list[str], choices: list[int]) -> tuple[Order, Payment]:
    """The customer acts; events are delivered as `choices` say, jobs run now and then; the rest comes by the books."""
    order, payment = pending(gateway)
    for act in acts:
        customer_pays(providers, payment, act)
    events = deliveries(providers, payment)
    for choice in choices:
        deliver_one(gateway, events, choice)
    for _ in range(3):
        run_jobs()
    an_hour_ago = order.placed_at - timedelta(hours=1)
    Payment.objects.filter(order=order).update(submitted_at=an_hour_ago, reconciled_at=None)
    reconciliation.reconcile()
    run_jobs(times=3)
    return order, payment


def deliver_one(gateway: str, events: list[Delivery], choice: int) -> None:
    assert deliver(gateway, events[choice % len(events)]).status_code == 200
    if choice % 3 == 0:
        run_jobs()


@pytest.mark.parametrize("gateway", ["stripe", "razorpay"])
def test_any_order_of_a_payments_events_ends_in_one_state(providers: Providers, gateway: str):
    @examples(12, steps=1)
    @given(acts=ACTS, choices=CHOICES)
    def in_any_order(acts: list[str], choices: list[int]) -> None:
        disordered, payment = play(providers, gateway, acts, choices)
        silent, _ = play(providers, gateway, acts, [])

        assert final_state(disordered) == final_state(silent)
        paid = {"captured", "authorized"} & set(acts)
        assert (disordered.state == "paid") == bool(paid)
        assert final_state(disordered)[2:] == (PRICE_PAISE * bool(paid), int(bool(paid)), 0)
        assert kept_by_provider(providers, payment) == PRICE_PAISE * bool(paid)
        assert not ProviderEvent.objects.filter(state="received").exists()

    in_any_order()
