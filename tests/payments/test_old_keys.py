"""An idempotency key that the gateway may have forgotten."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Order
from payments.models import Payment
from payments.services import questions

from .factories import PRICE_PAISE, place, submitted_payment
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.django_db(transaction=True)


def grow_old(payment: Payment) -> None:
    """Let its key be one that the gateway may have forgotten."""
    Payment.objects.filter(pk=payment.pk).update(key_used_at=timezone.now() - timedelta(hours=23))


def test_key_that_the_gateway_may_have_forgotten_is_not_sent_again_but_a_new_one(gateway: GatewayProcess):
    order = place()
    payment = submitted_payment(order)
    grow_old(payment)

    questions.verify(payment.pk)

    payment.refresh_from_db()
    assert (payment.state, payment.key_generation) == ("captured", 2)
    assert gateway.entries(payment.idempotency_key) == []
    assert gateway.taken_paise(payment.key) == PRICE_PAISE


def test_forgotten_key_of_an_order_whose_time_is_over_is_cancelled(gateway: GatewayProcess):
    order = place()
    payment = submitted_payment(order)
    grow_old(payment)
    Order.objects.update(placed_at=timezone.now() - timedelta(hours=23))

    questions.verify(payment.pk)

    payment.refresh_from_db()
    assert payment.state == "cancelled"
    assert gateway.taken_paise(payment.idempotency_key) == 0
    assert Order.objects.get(pk=order.pk).state == "pending"


def test_two_that_need_a_new_key_take_the_same():
    payment = submitted_payment(place())
    first, second = (Payment.objects.get(pk=payment.pk) for _ in range(2))

    first.renew_key()
    second.renew_key()
    assert first.key == second.key == f"{payment.idempotency_key}-2"

    second.renew_key()
    first.renew_key()
    late = Payment(pk=payment.pk, key_generation=1)
    late.renew_key()
    assert first.key == second.key == late.key == f"{payment.idempotency_key}-3"
