"""Money in any order: charges, proofs, refunds and cancellations as they may come, also twice, late or not at all.

After every step the books agree; when all has come to rest, each order is paid for once and handled, or cancelled
and costs nothing. One transaction an example, rolled back; `HYPOTHESIS_PROFILE=long` runs a hundred times as many.
"""

import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction
from django.db.models import F, Sum
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orders.errors import OutOfStock
from orders.models import Order, Reservation, Stock
from orders.services import lifecycle, stock
from orders.states import PAID_FOR
from payments.errors import OrderNotCancellable, OrderNotPayable, PaymentInProgress
from payments.gateways import GATEWAYS
from payments.gateways.base import Charge
from payments.models import Payment, Refund
from payments.services import collect, expiry, questions, refunds
from payments.services.settle import settle
from queues import Snooze
from queues.models import Job
from tests.examples import examples

from .directed_gateway import MOODS, DirectedGateway
from .factories import PRICE_PAISE, make_customer, make_product, place, proof, submitted_payment

ON_HAND = 2
MOOD = st.sampled_from(MOODS)


def kept_paise(order: Order) -> int:
    """What our books say we keep of this order's money; a refund that failed is still to be dealt with by hand."""
    sums = order.payments.aggregate(taken=Sum("captured_paise", default=0), back=Sum("refunded_paise", default=0))
    failed = Refund.objects.filter(payment__order=order, state="failed")
    return int(sums["taken"] - sums["back"] - failed.aggregate(paise=Sum("amount_paise", default=0))["paise"])


def is_paid(order: Order) -> bool:
    order.refresh_from_db()
    return order.state in PAID_FOR


class MoneyMachine(RuleBasedStateMachine):
    orders: Bundle[Order] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.gateway = DirectedGateway()
        self.patch = patch.dict(GATEWAYS, simulated=lambda: self.gateway)
        self.patch.start()
        self.told: list[tuple[int, Charge]] = []

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.everything_comes_to_rest()
        finally:
            self.patch.stop()
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    @initialize(target=orders, mood=MOOD)
    def first_order(self, mood: str) -> Order:
        self.product, self.customer = make_product(ON_HAND), make_customer()
        order = place("tok", self.product, self.customer)
        self.run_payment_job(order, mood)
        return order

    @precondition(lambda self: Stock.objects.get(product=self.product).free > 0)
    @rule(target=orders, token=st.sampled_from(["tok", ""]))
    def place_order(self, token: str) -> Order:
        return place(token, self.product, self.customer)

    @rule(order=orders, mood=MOOD)
    def run_payment_job(self, order: Order, mood: str) -> None:
        self.gateway.mood = mood
        with suppress(Snooze):
            collect.charge(order.pk)

    @rule(order=orders)
    def pay_again(self, order: Order) -> None:
        with suppress(OrderNotPayable, PaymentInProgress, OutOfStock):
            collect.request_payment(order, "tok")

    @rule(order=orders, mood=MOOD)
    def run_verify_jobs(self, order: Order, mood: str) -> None:
        self.gateway.mood = mood
        for payment in order.payments.all():
            with suppress(Snooze):
                questions.verify(payment.pk)

    @rule(order=orders, mood=MOOD, is_late=st.booleans())
    def auto_cancel(self, order: Order, mood: str, is_late: bool) -> None:
        self.gateway.mood = mood
        if is_late:
            past = timedelta(minutes=30)
            Payment.objects.update(created_at=F("created_at") - past, submitted_at=F("submitted_at") - past)
        with suppress(Snooze):
            expiry.cancel_unpaid(order.pk)

    @rule(order=orders)
    def buyer_cancels(self, order: Order) -> None:
        with suppress(OrderNotCancellable, PaymentInProgress):
            expiry.cancel_by_customer(order)

    @rule(order=orders, short=st.sampled_from([0, 0, 1]), tells=st.booleans())
    def gateway_takes_the_money_after_all(self, order: Order, short: int, tells: bool) -> None:
        for payment in order.payments.exclude(submitted_at=None).exclude(state="captured")[:1]:
            self.gateway.take_after_all(payment.idempotency_key, PRICE_PAISE - short)
        if tells:
            self.proofs_arrive()

    @rule()
    def proofs_arrive(self) -> None:
        """The gateway tells what its book says, unasked."""
        for payment in Payment.objects.filter(idempotency_key__in=self.gateway.book):
            self.told.append((payment.pk, self.gateway.book[payment.idempotency_key]))
            settle(*self.told[-1])

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def old_proof_arrives_again(self, data: Any) -> None:
        settle(*data.draw(st.sampled_from(self.told)))

    @rule(mood=MOOD)
    def run_refund_jobs(self, mood: str) -> None:
        self.gateway.mood = mood
        for refund in Refund.objects.order_by("pk"):
            with suppress(Snooze):
                refunds.submit(refund.pk)

    @rule(order=orders)
    def run_jobs_of_the_order(self, order: Order) -> None:
        stock.release(order.pk)
        lifecycle.begin_processing(order.pk)

    def everything_comes_to_rest(self) -> None:
        orders = list(Order.objects.order_by("pk"))
        for order in orders:
            self.run_payment_job(order, "captures")
            self.run_verify_jobs(order, "captures")
        self.proofs_arrive()
        for order in orders:
            self.auto_cancel(order, "captures", is_late=True)
            self.run_jobs_of_the_order(order)
        self.run_refund_jobs("captures")
        self._check_that_all_is_done()

    def _check_that_all_is_done(self) -> None:
        assert set(Order.objects.values_list("state", flat=True)) <= {"processing", "cancelled"}
        assert not Reservation.objects.filter(state="held").exists()
        assert not Payment.objects.open().exists()
        assert not Refund.objects.filter(state="requested").exists()
        for order in Order.objects.all():
            failed = order.payments.filter(refunds__state="failed").exists()
            keys = order.payments.values_list("idempotency_key", flat=True)
            kept = sum(self.gateway.taken_paise(key) - self.gateway.returned_paise(key) for key in keys)
            assert failed or kept == (order.total_paise if is_paid(order) else 0)

    @invariant()
    def an_order_is_paid_for_once_or_costs_nothing(self) -> None:
        for order in Order.objects.all():
            assert kept_paise(order) == (order.total_paise if is_paid(order) else 0)
            told = Job.objects.filter(name="orders.process_order", args__order_id=order.pk).count()
            assert told == int(is_paid(order))

    @invariant()
    def books_agree(self) -> None:
        for payment in Payment.objects.filter(state="captured"):
            assert self.gateway.taken_paise(payment.idempotency_key) == payment.captured_paise
        for payment in Payment.objects.all():
            key = payment.idempotency_key
            assert self.gateway.returned_paise(key) <= self.gateway.taken_paise(key)

    @invariant()
    def stock_is_what_was_there_less_what_was_sold(self) -> None:
        quantities = dict(Reservation.objects.values_list("state").annotate(Sum("quantity")))
        shelf = Stock.objects.get(product=self.product)
        assert (shelf.on_hand, shelf.reserved) == (ON_HAND - quantities.get("committed", 0), quantities.get("held", 0))
        assert not Reservation.objects.filter(state="held", order__state="processing").exists()
        assert not Reservation.objects.filter(state="committed").exclude(order__state="processing").exists()


@pytest.mark.django_db
def test_any_order_of_proofs_and_cancellations_keeps_the_money_right():
    run_state_machine_as_test(MoneyMachine, settings=examples(15, steps=30))


LATE, RIVAL = ("declined", "captured"), ("declined", "cancelled", "captured")
PROOFS = st.sampled_from([*(("late", status) for status in LATE), *(("rival", status) for status in RIVAL)])


def final_state(proofs: Iterable[tuple[str, str]]) -> Any:
    """Of an order with a cancelled payment and another under way, after these proofs came in this order.

    Whether an unpaid order still waits or has failed is left out: who cancels a payment decides about its order.
    """
    with transaction.atomic():
        order = place()
        payments = {"late": submitted_payment(order)}
        settle(payments["late"].pk, proof("cancelled", reference="ch_late"))
        payments["rival"] = submitted_payment(order)
        for name, status in proofs:
            settle(payments[name].pk, proof(status, reference=f"ch_{name}"))
        states = [Payment.objects.get(pk=payment.pk).state for payment in payments.values()]
        returned = Refund.objects.filter(payment__order=order).aggregate(paise=Sum("amount_paise", default=0))["paise"]
        final = (is_paid(order), states, kept_paise(order), returned)
        transaction.set_rollback(True)
    return final


@pytest.mark.django_db
@examples(25, steps=1)
@given(proofs=st.lists(PROOFS, min_size=1, max_size=6), data=st.data())
def test_same_proofs_of_two_payments_end_alike_in_every_order(proofs: list[tuple[str, str]], data: Any):
    duplicates = data.draw(st.lists(st.sampled_from(proofs), max_size=3))

    disordered = data.draw(st.permutations([*proofs, *duplicates]))

    assert final_state(disordered) == final_state(proofs)
