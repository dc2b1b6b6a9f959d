"""Rivals on the exact line around held money: its capture, a rejection, the deadline; and without the lock."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from orders.errors import ReviewClosed
from orders.models import Order, ReviewItem
from orders.services import review
from payments.gateways.simulated import SimulatedGateway
from payments.models import Payment, Refund
from payments.services import questions, reviewing
from queues.models import Job
from queues.testing import drain

from .factories import PRICE_PAISE, make_customer, place
from .gateway_process import GatewayProcess
from .paying import states
from .rivals import Rival

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def held(gateway: GatewayProcess, settings: Settings) -> Payment:
    """Authorized above the limit, with its review open."""
    settings.PAYMENT_HOLD_ABOVE_PAISE = PRICE_PAISE - 1
    place("tok_success")
    drain(queue="payment")
    drain(queue="manual-review")
    return Payment.objects.get()


def decide(approve: bool, **which: Any) -> ReviewItem:
    return review.decide(ReviewItem.objects.get(**which).pk, approve=approve, by=make_customer())


def reject_as_suspicious(payment: Payment) -> None:
    """A second review of the order, rejected and carried out."""
    item = review.open_suspicion(payment.order_id, ["strange"])
    review.decide(item.pk, approve=False, by=make_customer())
    reviewing.carry_out(item.pk)


def kept(gateway: GatewayProcess, payment: Payment) -> int:
    back = sum(refund.amount_paise for refund in Refund.objects.filter(payment=payment))
    return gateway.taken_paise(payment.idempotency_key) - back


def test_rejection_between_the_decision_to_capture_and_the_call_takes_nothing(
    held: Payment, gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch
):
    reviewing.carry_out(decide(approve=True).pk)
    capture = SimulatedGateway.capture

    def be_overtaken(self: SimulatedGateway, intent: Any) -> Any:
        monkeypatch.undo()
        Rival(lambda: reject_as_suspicious(held)).start().finish()
        return capture(self, intent)

    monkeypatch.setattr(SimulatedGateway, "capture", be_overtaken)
    questions.capture(held.pk)

    assert states(held.order) == (["cancelled"], "cancelled")
    assert (kept(gateway, held), Refund.objects.count()) == (0, 0)


def test_rejection_that_comes_as_the_money_is_taken_calls_the_order_off_and_gives_it_back(
    held: Payment, gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch
):
    reviewing.carry_out(decide(approve=True).pk)
    cancel = SimulatedGateway.cancel

    def be_overtaken(self: SimulatedGateway, intent: Any) -> Any:
        monkeypatch.undo()
        Rival(lambda: questions.capture(held.pk)).start().finish()
        assert states(held.order) == (["captured"], "paid")
        return cancel(self, intent)

    monkeypatch.setattr(SimulatedGateway, "cancel", be_overtaken)
    reject_as_suspicious(held)

    assert states(held.order) == (["captured"], "cancelled")
    assert (kept(gateway, held), Refund.objects.get().amount_paise) == (0, PRICE_PAISE)


@pytest.mark.parametrize("first", ["decision", "deadline"])
def test_of_a_decision_and_the_deadline_on_one_line_the_money_follows_the_first(
    held: Payment, gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch, first: str
):
    ReviewItem.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))
    works = {"decision": lambda: decide(approve=True), "deadline": review.watch_deadlines}
    second = works["deadline" if first == "decision" else "decision"]
    log, rivals = review._log, list[Rival]()

    def log_with_a_rival(*arguments: Any) -> None:
        monkeypatch.undo()
        rivals.append(Rival(second).start())
        assert rivals[0].is_held_up()  # the first has the order's lock
        log(*arguments)

    monkeypatch.setattr(review, "_log", log_with_a_rival)
    works[first]()
    if first == "deadline":
        with pytest.raises(ReviewClosed):
            rivals[0].finish()
    else:
        assert rivals[0].finish()["expired"] == 0
    drain(queue="payment")

    assert Job.objects.filter(name="payments.carry_out_review").count() == 1
    if first == "decision":
        assert (states(held.order), kept(gateway, held)) == ((["captured"], "paid"), PRICE_PAISE)
    else:
        assert (states(held.order), kept(gateway, held)) == ((["cancelled"], "cancelled"), 0)


def test_without_lock_and_condition_a_decision_and_the_deadline_would_both_stand(
    held: Payment, monkeypatch: pytest.MonkeyPatch
):
    """The proof that the race is real: whoever reads first and then writes without a condition overwrites the other."""
    item = ReviewItem.objects.get()

    def expire_naively() -> None:
        found = ReviewItem.objects.get(pk=item.pk)
        assert found.state == "open"
        Rival(lambda: decide(approve=True, pk=item.pk)).start().finish()
        found.state, found.decided_at = "expired", timezone.now()
        found.save()

    expire_naively()

    item.refresh_from_db()
    assert (item.state, Job.objects.filter(name="payments.carry_out_review").count()) == ("expired", 1)
    assert Order.objects.get().log.filter(event="review_approved").exists()
