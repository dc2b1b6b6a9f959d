"""Rivals on the exact line: charge against charge, cancel against charge, settlement against all."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order
from orders.services import lifecycle
from payments import selectors
from payments.errors import PaymentInProgress
from payments.gateways.simulated import SimulatedGateway
from payments.models import Payment, Refund
from payments.services import collect, expiry, questions
from payments.services import settle as settlement
from payments.services.settle import settle
from queues import Snooze

from .factories import PRICE_PAISE, place, proof, submitted_payment
from .gateway_process import GatewayProcess
from .rivals import Rival, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def states(order: Order) -> tuple[list[str], str]:
    payments = Payment.objects.filter(order=order).order_by("pk")
    return [payment.state for payment in payments], Order.objects.get(pk=order.pk).state


def on_line_of_check(monkeypatch: pytest.MonkeyPatch, rival: Callable[[], Any], call: int = 1) -> None:
    """Let the rival act right after expiry has looked for an open payment for the `call`-th time."""
    look, calls = selectors.open_payment, []

    def look_then_be_overtaken(order_id: int) -> Payment | None:
        found = look(order_id)
        calls.append(found)
        if len(calls) == call:
            rival()
        return found

    monkeypatch.setattr(expiry, "open_payment", look_then_be_overtaken)


@pytest.mark.parametrize("token", ["tok_success", "tok_timeout_after", "tok_slow"])
def test_two_workers_charge_once(gateway: GatewayProcess, token: str):
    order = place(token)

    at_once(*[lambda: collect.charge(order.pk)] * 2)
    while (payment := Payment.objects.get(order=order)).state == "submitted":
        at_once(*[lambda: questions.verify(payment.pk)] * 2)

    assert states(order) == (["captured"], "paid")
    assert len(gateway.entries(payment.idempotency_key)) == 1
    assert gateway.taken_paise(payment.idempotency_key) == PRICE_PAISE


def test_two_requests_to_pay_make_one_payment():
    order = place("")

    first, second = at_once(*[lambda: collect.request_payment(order, "tok_success")] * 2)

    assert sorted(type(rival.error).__name__ for rival in (first, second)) == ["NoneType", "PaymentInProgress"]
    assert states(order) == (["created"], "pending")


def test_same_proof_at_once_pays_once():
    payment = submitted_payment(place())

    rivals = at_once(*[lambda: settle(payment.pk, proof("captured"))] * 4)

    assert [rival.error for rival in rivals] == [None] * 4
    assert payment.events.count() == 1
    assert not Refund.objects.exists()


def test_cancellation_waits_for_a_settlement_that_has_the_lock(monkeypatch: pytest.MonkeyPatch):
    order = place("tok_success")
    payment = submitted_payment(order)
    record, rivals = settlement._record, []

    def record_with_a_rival(*arguments: Any) -> None:
        rivals.append(Rival(lambda: lifecycle.cancel_order(order.pk, "the rival's")).start())
        assert rivals[0].is_held_up()
        record(*arguments)

    monkeypatch.setattr(settlement, "_record", record_with_a_rival)
    settle(payment.pk, proof("captured"))

    assert rivals[0].finish() is False
    assert states(order) == (["captured"], "paid")


def test_auto_cancel_finds_the_order_paid_by_a_charge_that_overtook_it(
    gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch
):
    order = place("tok_success")
    on_line_of_check(monkeypatch, lambda: collect.charge(order.pk))

    expiry.cancel_unpaid(order.pk)

    assert states(order) == (["captured"], "paid")


def test_auto_cancel_steps_back_from_a_charge_that_has_just_begun(monkeypatch: pytest.MonkeyPatch):
    order = place("tok_success")
    on_line_of_check(monkeypatch, lambda: submitted_payment(order))

    with pytest.raises(Snooze, match="just begun"):
        expiry.cancel_unpaid(order.pk)

    assert states(order) == (["submitted"], "pending")


def test_charge_waits_for_an_auto_cancel_that_has_the_lock(gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch):
    order = place("tok_success")
    charge = Rival(lambda: collect.charge(order.pk))
    on_line_of_check(monkeypatch, lambda: charge.start().is_held_up(), call=2)

    expiry.cancel_unpaid(order.pk)
    charge.finish()

    assert states(order) == ([], "cancelled")


def test_capture_that_arrives_while_the_intent_is_being_cancelled_pays_the_order(
    gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch
):
    order = place("tok_success")
    payment = submitted_payment(order)
    past = timezone.now() - timedelta(minutes=30)
    Payment.objects.update(submitted_at=past)
    cancel = SimulatedGateway.cancel

    def be_overtaken_by_the_charge(self: SimulatedGateway, intent: Any) -> Any:
        monkeypatch.undo()
        questions.verify(payment.pk)
        return cancel(self, intent)

    monkeypatch.setattr(SimulatedGateway, "cancel", be_overtaken_by_the_charge)
    expiry.cancel_unpaid(order.pk)

    assert states(order) == (["captured"], "paid")
    assert gateway.taken_paise(payment.idempotency_key) == PRICE_PAISE


def test_customers_cancel_and_charge_exclude_each_other(gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch):
    order = place("tok_success")
    charge = Rival(lambda: collect.charge(order.pk))
    on_line_of_check(monkeypatch, lambda: charge.start().is_held_up())

    expiry.cancel_by_customer(order)
    charge.finish()

    assert states(order) == ([], "cancelled")


def test_without_the_orders_lock_money_would_be_asked_for_a_cancelled_order(monkeypatch: pytest.MonkeyPatch):
    """The proof that the race above is real: the same meeting, with expiry's lock taken away."""
    order = place("tok_success")
    monkeypatch.setattr(expiry, "lock_order", lambda order_id: Order.objects.get(pk=order_id))
    on_line_of_check(monkeypatch, lambda: Rival(lambda: collect._submit_intent(order.pk)).start().finish())

    expiry.cancel_by_customer(order)

    assert states(order) == (["submitted"], "cancelled")


def test_customer_cannot_cancel_between_intent_and_answer(gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch):
    order = place("tok_success")
    charge, refusals = SimulatedGateway.charge, []

    def be_overtaken_by_the_customer(self: SimulatedGateway, intent: Any) -> Any:
        with pytest.raises(PaymentInProgress) as refusal:
            expiry.cancel_by_customer(order)
        refusals.append(refusal)
        return charge(self, intent)

    monkeypatch.setattr(SimulatedGateway, "charge", be_overtaken_by_the_customer)
    collect.charge(order.pk)

    assert len(refusals) == 1
    assert states(order) == (["captured"], "paid")
