import pytest

from orders.models import Order
from orders.services import lifecycle
from orders.states import TRANSITIONS, OrderState, states_before
from tests.orders.shop import log_of, make_order

STEPS = {
    OrderState.PAID: lifecycle.mark_paid,
    OrderState.PAYMENT_FAILED: lambda pk: lifecycle.mark_payment_failed(pk, "declined"),
    OrderState.CANCELLED: lambda pk: lifecycle.cancel_order(pk, "changed my mind"),
    OrderState.PENDING: lifecycle.reopen,
    OrderState.PROCESSING: lifecycle.begin_processing,
    OrderState.SHIPPED: lambda pk: lifecycle.mark_shipped(pk, "BlueDart 42"),
    OrderState.DELIVERED: lifecycle.mark_delivered,
}

ON_CONDITION = {(OrderState.CANCELLED, OrderState.PENDING)}
"""Steps with a condition of their own: tests/payments/test_late_money.py."""


def test_every_state_has_its_transitions():
    assert set(TRANSITIONS) == set(OrderState)


def test_what_comes_before():
    assert states_before(OrderState.CANCELLED) == [OrderState.PENDING, OrderState.PAYMENT_FAILED]
    assert states_before(OrderState.PAID) == [OrderState.PENDING]


def test_every_state_can_be_reached():
    reached = {OrderState.PENDING}
    while new := {state for before in reached for state in TRANSITIONS[before]} - reached:
        reached |= new
    assert reached == set(OrderState)


@pytest.mark.django_db
@pytest.mark.parametrize("target", STEPS)
@pytest.mark.parametrize("state", OrderState)
def test_an_order_moves_only_as_the_table_says(state: OrderState, target: OrderState):
    order = make_order()
    Order.objects.filter(pk=order.pk).update(state=state)

    STEPS[target](order.pk)

    order.refresh_from_db()
    allowed = target in TRANSITIONS[state] and (state, target) not in ON_CONDITION
    assert order.state == (target if allowed else state)
    assert len(log_of(order)) == (2 if allowed else 1)
