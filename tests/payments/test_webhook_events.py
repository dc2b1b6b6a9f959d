"""What an event leads to: a question to the provider, whatever the event itself says."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments.models import Payment, ProviderEvent, Refund
from payments.services import refunds, webhooks
from payments.simulator.providers.server import Providers
from queues.models import Job
from queues.testing import drain, make_due

from .hooks import PROVIDERS, an_event, outbox
from .paying import customer_pays, deliver, deliveries, pending, run_jobs, states

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_unknown_kind_is_kept_and_counted(providers: Providers, provider: str):
    kind = {"type": "invoice.created", "event": "invoice.created"}

    answer = deliver(provider, outbox(provider).signed(an_event(provider, **kind)))
    drain(queue="payment-webhook")

    assert answer.status_code == 200
    assert ProviderEvent.objects.values_list("kind", "state").get() == ("invoice.created", "unknown")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_event_for_an_unknown_order_is_kept_and_changes_nothing(providers: Providers, provider: str):
    order, _ = pending("razorpay" if provider == "stripe" else "stripe")

    answer = deliver(provider, outbox(provider).signed(an_event(provider)))
    drain(queue="payment-webhook")

    assert answer.status_code == 200
    assert ProviderEvent.objects.get().state == "unmatched"
    assert states(order) == (["pending"], "pending")


def test_signed_lie_is_not_believed(providers: Providers):
    """An event is a hint: that the money came is only true when the provider says so when it is asked."""
    order, payment = pending("stripe")
    lie = {"object": "payment_intent", "id": payment.intent_reference, "status": "succeeded", "amount_received": 49_900}

    deliver("stripe", outbox("stripe").signed(an_event("stripe", data={"object": lie})))
    drain(queue="payment-webhook")

    assert states(order) == (["pending"], "pending")


def test_event_of_one_provider_cannot_name_the_payment_of_another(providers: Providers):
    _, payment = pending("stripe")
    entity = {"order_id": payment.intent_reference}
    event = an_event("razorpay", payload={"payment": {"entity": entity}})

    deliver("razorpay", outbox("razorpay").signed(event))
    drain(queue="payment-webhook")

    assert ProviderEvent.objects.get().state == "unmatched"


def test_only_names_are_kept_of_an_event(providers: Providers):
    _, payment = pending("stripe")
    customer_pays(providers, payment)

    deliver("stripe", deliveries(providers, payment)[-1])

    assert ProviderEvent.objects.get().references == {
        "intent": payment.intent_reference,
        "name": payment.idempotency_key,
    }


def test_event_that_comes_before_the_answer_finds_its_payment_by_our_name(providers: Providers):
    order, payment = pending("stripe", "pm_card_visa")
    Payment.objects.update(state="submitted", captured_paise=0, intent_reference="", gateway_reference="")

    deliver("stripe", deliveries(providers, payment)[-1])
    drain(queue="payment-webhook")

    assert states(order)[0] == ["captured"]


def test_silent_provider_costs_an_event_no_attempt(providers: Providers):
    order, payment = pending("stripe")
    customer_pays(providers, payment)
    deliver("stripe", deliveries(providers, payment)[-1])
    providers.faults.plan("500", method="GET", times=3)

    drain(queue="payment-webhook")
    job = Job.objects.get(name="payments.apply_stripe_event")
    assert (job.state, job.attempt, states(order)) == ("waiting", 0, (["pending"], "pending"))
    providers.faults.clear()
    make_due(queue="payment-webhook", name=job.name)
    drain(queue="payment-webhook")

    assert states(order) == (["captured"], "paid")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_refund_that_comes_back_from_the_bank_is_noticed(providers: Providers, provider: str):
    _, payment = pending(provider)
    customer_pays(providers, payment)
    run_jobs()
    refund = refunds.refund(payment.pk, 100, "test")
    run_jobs()
    assert Refund.objects.get().state == "succeeded"

    account = providers.account(provider)
    account.refund_ends(Refund.objects.get().gateway_reference, "failed")
    deliver(provider, account.outbox.signed(account.outbox.events[-1]))
    drain(queue="payment-webhook")

    payment.refresh_from_db()
    assert (Refund.objects.get().state, payment.refunded_paise) == ("failed", 0)
    assert payment.events.filter(kind="needs review").get().detail == {"reason": f"refund {refund.pk} failed"}


def test_each_refund_that_somebody_made_elsewhere_is_given_to_review(providers: Providers):
    _, payment = pending("stripe")
    customer_pays(providers, payment)
    run_jobs()
    body = {"payment_intent": payment.intent_reference, "amount": "500"}
    names = [providers.stripe.handle("POST", ["refunds"], body).body["id"] for _ in range(2)]

    for event in providers.stripe.outbox.events[-2:]:
        deliver("stripe", providers.stripe.outbox.signed(event))
    drain(queue="payment-webhook")

    reviews = payment.events.filter(kind="needs review").values_list("detail__reason", flat=True)
    assert list(reviews) == [f"refunded elsewhere: {name}" for name in names]


def test_dispute_is_given_to_review(providers: Providers):
    _, payment = pending("stripe")
    dispute = {"object": "dispute", "id": "dp_1", "payment_intent": payment.intent_reference}
    event = an_event("stripe", type="charge.dispute.created", data={"object": dispute})

    deliver("stripe", outbox("stripe").signed(event))
    drain(queue="payment-webhook")

    assert payment.events.get(kind="needs review").detail == {"reason": "dispute: charge.dispute.created"}


def test_second_try_that_took_money_too_is_given_back(providers: Providers):
    """A first try that the provider carried out late, after a new key was sent."""
    order, payment = pending("stripe", "pm_card_visa")
    late = providers.stripe.handle("POST", ["payment_intents"], {**late_try(payment), "confirm": "true"}).body

    deliver("stripe", providers.stripe.outbox.signed(providers.stripe.outbox.events[-1]))
    run_jobs(times=2)

    assert states(order) == (["captured", "captured"], "paid")
    assert Refund.objects.get().state == "succeeded"
    assert providers.stripe.intents[late["id"]]["latest_charge"]["amount_refunded"] == payment.amount_paise


def test_second_try_that_ended_without_money_changes_nothing(providers: Providers):
    order, payment = pending("stripe")
    late = providers.stripe.handle("POST", ["payment_intents"], late_try(payment)).body
    providers.stripe.handle("POST", ["payment_intents", late["id"], "cancel"], {})

    deliver("stripe", providers.stripe.outbox.signed(providers.stripe.outbox.events[-1]))
    run_jobs()

    assert states(order) == (["pending"], "pending")


def late_try(payment: Payment) -> dict[str, Any]:
    named = {"payment": payment.idempotency_key, "order": str(payment.order_id)}
    return {"amount": str(payment.amount_paise), "currency": "inr", "metadata": named, "payment_method": "pm_card_visa"}


def test_events_are_kept_for_a_month(providers: Providers):
    for name, state, days in (("old", "applied", 31), ("waits", "received", 31), ("young", "unknown", 29)):
        event = ProviderEvent.objects.create(provider="stripe", event_id=name, kind="x", state=state)
        ProviderEvent.objects.filter(pk=event.pk).update(received_at=timezone.now() - timedelta(days=days))

    assert webhooks.prune() == 1
    assert set(ProviderEvent.objects.values_list("event_id", flat=True)) == {"waits", "young"}
