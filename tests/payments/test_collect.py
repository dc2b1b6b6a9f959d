"""Charging an order: once, by the gateway's own book, whatever goes wrong on the way."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from orders.models import Order
from orders.services import lifecycle
from payments.gateways.base import GatewayRefused
from payments.gateways.simulated import SimulatedGateway
from payments.jobs import verify_payment
from payments.models import Payment
from payments.services import collect, questions
from queues import Snooze
from queues.models import Job
from queues.testing import assert_enqueued, drain, make_due

from .factories import PRICE_PAISE, place, stock_of, submitted_payment
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.django_db(transaction=True)


def kinds(payment: Payment) -> list[str]:
    return list(payment.events.values_list("kind", flat=True))


def test_charge_captures_the_total_and_pays_the_order(gateway: GatewayProcess):
    order = place("tok_success")

    collect.charge(order.pk)

    payment = Payment.objects.get(order=order)
    order.refresh_from_db()
    assert (payment.state, payment.captured_paise, order.state) == ("captured", PRICE_PAISE, "paid")
    assert kinds(payment) == ["submitted", "captured"]
    assert payment.gateway_reference == gateway.entries(payment.idempotency_key)[0]["reference"]
    assert gateway.taken_paise(payment.idempotency_key) == PRICE_PAISE


def test_order_without_token_is_not_charged(gateway: GatewayProcess):
    order = place("")

    collect.charge(order.pk)

    order.refresh_from_db()
    assert order.state == "pending"
    assert not Payment.objects.exists()


def test_intent_is_committed_before_the_gateway_hears_of_it(gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch):
    seen = []

    def look(self: SimulatedGateway, intent: object) -> None:
        seen.append(Payment.objects.get().state)
        raise KeyboardInterrupt

    monkeypatch.setattr(SimulatedGateway, "charge", look)
    with pytest.raises(KeyboardInterrupt):
        collect.charge(place().pk)

    assert seen == ["submitted"]
    assert Payment.objects.get().state == "submitted"


def test_decline_fails_the_order_and_gives_the_stock_back(gateway: GatewayProcess):
    order = place("tok_decline")

    collect.charge(order.pk)
    drain(queue="inventory-release")

    payment = Payment.objects.get(order=order)
    order.refresh_from_db()
    assert (payment.state, order.state) == ("declined", "payment_failed")
    assert payment.reason == "The card was declined."
    assert stock_of(order) == (10, 0)
    assert gateway.taken_paise(payment.idempotency_key) == 0


def test_request_that_the_gateway_refuses_fails_the_order_and_is_reviewed(monkeypatch: pytest.MonkeyPatch):
    def refuse(self: SimulatedGateway, intent: object) -> None:
        raise GatewayRefused("amount_too_small")

    monkeypatch.setattr(SimulatedGateway, "charge", refuse)
    order = place()

    collect.charge(order.pk)
    drain(queue="inventory-release")

    payment = Payment.objects.get(order=order)
    order.refresh_from_db()
    assert (payment.state, order.state, stock_of(order)) == ("declined", "payment_failed", (10, 0))
    assert payment.events.get(kind="needs review").detail == {"reason": "refused: amount_too_small"}


@pytest.mark.parametrize("token", ["tok_success", "tok_decline"])
def test_second_run_of_the_job_changes_nothing(gateway: GatewayProcess, token: str):
    order = place(token)
    collect.charge(order.pk)
    payment = Payment.objects.get(order=order)

    collect.charge(order.pk)

    assert Payment.objects.get(order=order).__dict__.items() >= {"id": payment.pk, "state": payment.state}.items()
    assert len(kinds(payment)) == 2
    assert len(gateway.entries(payment.idempotency_key)) == 1


@pytest.mark.parametrize("token", ["tok_timeout_before", "tok_timeout_after", "tok_slow", "tok_error_after"])
def test_unknown_outcome_is_verified_and_charged_once(gateway: GatewayProcess, settings: Settings, token: str):
    order = place(token)

    settings.GATEWAY_TIMEOUT = 0.3 if token == "tok_slow" else 10.0
    collect.charge(order.pk)
    settings.GATEWAY_TIMEOUT = 10.0

    payment = Payment.objects.get(order=order)
    assert (payment.state, kinds(payment)) == ("submitted", ["submitted", "uncertain"])
    assert Order.objects.get(pk=order.pk).state == "pending"
    assert stock_of(order) == (10, 1)
    assert_enqueued(verify_payment, payment_id=payment.pk)

    verify_by_jobs(payment)

    assert Order.objects.get(pk=order.pk).state == "paid"
    assert gateway.taken_paise(payment.idempotency_key) == PRICE_PAISE
    assert len(gateway.entries(payment.idempotency_key)) == 1


def verify_by_jobs(payment: Payment) -> None:
    """Run verify_payment until it has nothing left to do, without its waits."""
    for _ in range(10):
        make_due(name="payments.verify_payment")
        drain(queue="payment")
        payment.refresh_from_db()
        if payment.state != "submitted":
            break
    assert payment.state == "captured"
    assert Job.objects.get(name="payments.verify_payment").state == "completed"


def test_silent_gateway_costs_verify_payment_no_attempt(settings: Settings):
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"
    order = place()

    for _ in range(5):
        make_due(queue="payment")
        drain(queue="payment")

    job = Job.objects.get(name="payments.verify_payment")
    assert (job.state, job.attempt, job.subject) == ("waiting", 0, f"order-{order.pk}")
    assert Job.objects.get(name="payments.process_payment").state == "completed"
    assert Payment.objects.get().state == "submitted"


def test_crash_between_intent_and_call_is_made_good_by_the_next_run(gateway: GatewayProcess):
    order = place()
    payment = submitted_payment(order)

    collect.charge(order.pk)

    payment.refresh_from_db()
    assert payment.state == "captured"
    assert gateway.taken_paise(payment.idempotency_key) == PRICE_PAISE


def test_crash_between_call_and_settling_is_made_good_by_the_next_run(
    gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch
):
    order = place()
    with monkeypatch.context() as crash:
        crash.setattr(lifecycle, "mark_paid", lambda order_id: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            collect.charge(order.pk)
    payment = Payment.objects.get(order=order)
    assert (payment.state, payment.captured_paise, kinds(payment)) == ("submitted", 0, ["submitted"])

    collect.charge(order.pk)

    order.refresh_from_db()
    assert order.state == "paid"
    assert gateway.taken_paise(payment.idempotency_key) == PRICE_PAISE


def test_unreachable_gateway_is_asked_again_until_it_answers(gateway: GatewayProcess, settings: Settings):
    order = place()
    there = settings.SIMULATED_GATEWAY_URL
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"
    collect.charge(order.pk)
    payment = Payment.objects.get(order=order)
    assert "GatewayUnavailable" in payment.events.get(kind="uncertain").detail["error"]

    with pytest.raises(Snooze) as snooze:
        questions.verify(payment.pk)
    settings.SIMULATED_GATEWAY_URL = there
    questions.verify(payment.pk)

    payment.refresh_from_db()
    assert 2 <= snooze.value.seconds < 30
    assert payment.state == "captured"
    assert gateway.taken_paise(payment.idempotency_key) == PRICE_PAISE


def test_questions_to_a_silent_gateway_become_rarer(settings: Settings):
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"
    payment = submitted_payment(place())
    waits = []
    for age in (1, 30, 90_000):
        Payment.objects.update(submitted_at=timezone.now() - timedelta(seconds=age))
        with pytest.raises(Snooze) as snooze:
            questions.verify(payment.pk)
        waits.append(snooze.value.seconds)

    shortest, later, longest = waits
    assert 2 <= shortest < 30 <= later < 60
    assert longest == 600


def test_charge_that_waited_behind_a_cancellation_is_never_sent(gateway: GatewayProcess):
    order = place()
    lifecycle.cancel_order(order.pk, "test")

    collect.charge(order.pk)

    assert not Payment.objects.exists()


@pytest.mark.parametrize("state", ["created", "captured", "declined", "cancelled"])
def test_verify_has_nothing_to_ask_of_other_states(settings: Settings, state: str):
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"
    payment = submitted_payment(place())
    Payment.objects.update(state=state, captured_paise=PRICE_PAISE if state == "captured" else 0)

    questions.verify(payment.pk)

    payment.refresh_from_db()
    assert payment.state == state
