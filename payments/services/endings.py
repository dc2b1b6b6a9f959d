"""Pending payments that their customer gives up, to cancel the order or to pay it in another way.

A request only writes the wish down. A job has the gateway cancel the intent (`questions.void`), and the wish comes true
in the transaction that records its end (`settle`). Money that came before pays the order instead; what comes after is
late money.
"""

from orders.models import Order
from orders.services import lifecycle
from orders.states import OrderState

from ..events import payment_given_up, payment_requested
from ..models import Payment, PaymentEvent
from ..selectors import open_payment, waiting_payment
from ..states import NOT_SENT, Ending, EventKind, PaymentState

BY_CUSTOMER = "cancelled by the customer"


def give_up(payment: Payment, ending: Ending) -> None:
    """Write the wish about a pending payment down, the last one counts; under its order's lock."""
    drop_unsent(payment.order_id, "its customer has changed their mind")
    pending = Payment.objects.filter(pk=payment.pk, state=PaymentState.PENDING)
    is_first = pending.filter(ending="").update(ending=ending)
    if is_first:
        payment_given_up.emit(payment_id=payment.pk, order_id=payment.order_id)
    else:
        pending.update(ending=ending)
    PaymentEvent.objects.get_or_create(
        dedupe_key=f"{payment.idempotency_key}:given up:{ending}",
        defaults={"payment": payment, "kind": EventKind.GIVEN_UP, "detail": {"ending": ending}},
    )


def give_up_authorization(order: Order, payment: Payment) -> None:
    """Money was promised that no longer buys anything: a job gives it up, and the history says why; once."""
    _, fresh = PaymentEvent.objects.get_or_create(
        dedupe_key=f"{payment.idempotency_key}:given up:late",
        defaults={"payment": payment, "kind": EventKind.GIVEN_UP, "detail": {"late": f"the order was {order.state}"}},
    )
    if fresh:
        payment_given_up.emit(payment_id=payment.pk, order_id=payment.order_id)


def is_given_up_as_late(payment: Payment) -> bool:
    """Whether its gateway may hold an authorization that nobody will capture."""
    return payment.events.filter(kind=EventKind.GIVEN_UP, detail__has_key="late").exists()


def carry_out(order: Order, payment: Payment) -> bool:
    """The payment has ended without money: do what its customer wanted then. False if they had not given it up."""
    if payment.ending == Ending.CANCEL:
        lifecycle.cancel_order(order.pk, BY_CUSTOMER)
    elif payment.ending == Ending.REPLACE:
        _start_next(order)
    return bool(payment.ending)


def take_back(payment: Payment) -> None:
    """The gateway cannot cancel it any more, as a bank is at it: the payment goes on; under its order's lock."""
    wished = Payment.objects.filter(pk=payment.pk, state=PaymentState.PENDING).exclude(ending="")
    if wished.update(ending=""):
        drop_unsent(payment.order_id, "the payment before it could not be cancelled")


def end_rivals(order: Order) -> None:
    """The order is paid: what waits is never sent, and what is pending is cancelled at its gateway."""
    drop_unsent(order.pk, "the order is paid")
    rival = open_payment(order.pk)
    if rival and rival.state == PaymentState.PENDING:
        payment_given_up.emit(payment_id=rival.pk, order_id=order.pk)


def drop_unsent(order_id: int, reason: str) -> None:
    """End the payments of which no gateway has heard."""
    for payment in Payment.objects.filter(order_id=order_id, state__in=NOT_SENT):
        Payment.objects.advance(payment, PaymentState.CANCELLED, reason=reason)


def _start_next(order: Order) -> None:
    """Let a job charge the payment that waits, unless another is open."""
    following = waiting_payment(order.pk)
    if following is None or open_payment(order.pk):
        return
    if order.state != OrderState.PENDING:
        return drop_unsent(order.pk, f"the order is {order.state}")
    Payment.objects.advance(following, PaymentState.CREATED)
    payment_requested.emit(order_id=order.pk)
