"""Comparing the books: what no webhook and no poll has told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.services import lifecycle
from payments.models import Payment, Reconciliation, Refund
from payments.services import reconciliation, refunds
from payments.services.settle import settle
from payments.simulator.providers.server import Providers
from queues.testing import drain, moved, tick

from .factories import PRICE_PAISE, place, proof, submitted_payment
from .paying import customer_pays, pending, run_jobs, states

pytestmark = pytest.mark.django_db(transaction=True)
GATEWAYS = ["stripe", "razorpay"]


def grow_old(age: timedelta = timedelta(hours=1)) -> None:
    Payment.objects.update(submitted_at=timezone.now() - age)


def reconcile() -> Reconciliation:
    report = reconciliation.reconcile()
    assert report
    return report


def reviews() -> list[str]:
    told = Payment.objects.filter(events__kind="needs review").values_list("events__detail__reason", flat=True)
    return sorted(told)


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("days", [0.1, 4.9])
def test_paid_but_pending_is_found_up_to_the_fifth_day(providers: Providers, gateway: str, days: float):
    order, payment = pending(gateway)
    customer_pays(providers, payment)
    grow_old(timedelta(days=days))

    report = reconcile()

    assert states(order) == (["captured"], "paid")
    assert (report.asked, report.settled, report.differing) == (1, 1, 0)
    assert report.findings == [f"payment {payment.pk}: pending here, captured there"]


def test_payment_is_not_asked_about_for_ever(providers: Providers):
    order, payment = pending("stripe")
    customer_pays(providers, payment)
    grow_old(timedelta(days=5.1))

    assert reconciliation.reconcile() is None
    assert states(order) == (["pending"], "pending")


def test_money_for_an_order_that_ended_is_found_and_given_back(providers: Providers):
    order, payment = pending("razorpay")
    lifecycle.cancel_order(order.pk, "test")
    Payment.objects.update(state="cancelled")
    customer_pays(providers, payment)
    grow_old()

    reconcile()
    run_jobs()

    assert states(order) == (["captured"], "cancelled")
    assert Refund.objects.get().state == "succeeded"
    assert reviews() == ["the order was cancelled when the money came"]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_refund_made_elsewhere_is_given_to_review(providers: Providers, gateway: str):
    _, payment = pending(gateway)
    reference = customer_pays(providers, payment)
    run_jobs()
    if gateway == "stripe":
        providers.stripe.handle("POST", ["refunds"], {"payment_intent": reference, "amount": "700"})
    else:
        providers.razorpay.handle("POST", ["payments", reference, "refund"], {"amount": 700})
    grow_old()

    report = reconcile()

    assert report.differing == 1
    assert reviews() == ["0 refunded here, 700 there"]


def test_amount_that_differs_is_given_to_review(providers: Providers):
    _, payment = pending("stripe")
    customer_pays(providers, payment)
    run_jobs()
    providers.stripe.intents[payment.intent_reference]["amount_received"] = 1
    grow_old()

    reconcile()

    assert reviews() == [f"{PRICE_PAISE} captured here, 1 there"]


def test_capture_that_the_gateway_does_not_know_is_given_to_review(providers: Providers):
    order = place()
    payment = submitted_payment(order)
    settle(payment.pk, proof("captured"))
    Payment.objects.update(gateway="stripe")
    grow_old()

    reconcile()

    assert reviews() == ["captured here, unheard of there"]


def test_our_own_refunds_are_no_difference(providers: Providers):
    _, payment = pending("stripe")
    customer_pays(providers, payment)
    run_jobs()
    refunds.refund(payment.pk, 700, "test")
    grow_old()
    reconcile()
    run_jobs()
    Payment.objects.update(reconciled_at=None)

    report = reconcile()

    assert (report.asked, report.settled, report.differing) == (1, 0, 0)
    assert reviews() == []


def test_earlier_try_that_took_money_later_is_no_difference_once_it_is_given_back(providers: Providers):
    """Razorpay names tries by their age: one that failed first and succeeded last stands before what paid the order."""
    order, payment = pending("razorpay")
    failed = customer_pays(providers, payment, "failed")
    customer_pays(providers, payment)
    run_jobs()
    early = providers.razorpay.payments[failed]
    early |= {"status": "captured", "created_at": early["created_at"] - 60}
    grow_old()
    reconcile()
    run_jobs(times=2)
    Payment.objects.update(reconciled_at=None)

    report = reconcile()

    assert (early["status"], states(order)) == ("refunded", (["captured", "captured"], "paid"))
    assert (report.differing, reviews()) == (0, ["the order was paid when the money came"])


def test_same_difference_is_told_once(providers: Providers):
    _, payment = pending("stripe")
    customer_pays(providers, payment)
    run_jobs()
    providers.stripe.intents[payment.intent_reference]["amount_received"] = 1
    for _ in range(2):
        grow_old()
        Payment.objects.update(reconciled_at=None)
        reconcile()

    assert len(reviews()) == 1


def test_gateway_that_does_not_answer_is_asked_again_by_the_next_run(providers: Providers):
    order, payment = pending("stripe")
    customer_pays(providers, payment)
    grow_old()
    providers.faults.plan("500", method="GET")

    assert reconcile().unanswered == 1
    assert states(order) == (["pending"], "pending")
    assert reconcile().settled == 1


def test_who_was_asked_lately_is_left_alone(providers: Providers):
    pending("stripe")
    grow_old()

    assert reconcile().asked == 1
    assert reconciliation.reconcile() is None


def test_reconciliation_recurs(providers: Providers):
    pending("stripe")
    grow_old()

    with moved(minutes=16):
        tick()
        drain(queue="payment-webhook")

    assert Reconciliation.objects.get().finished_at
