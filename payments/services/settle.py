"""The one door for every proof of payment, whoever brings it: job, poll, cancellation, webhook.

Under the order's lock, idempotent, forward only: proofs may come in any order and more than once. A capture and
"the order is paid" are one transaction; money that no longer finds its order waiting is given back.
"""

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from orders.errors import OutOfStock
from orders.models import Order
from orders.services import lifecycle
from orders.states import OrderState

from ..gateways.base import Charge, ChargeStatus
from ..locks import lock_payment
from ..models import Payment, PaymentEvent
from ..states import EventKind, PaymentState
from . import refunds


def settle(payment_id: int, proof: Charge) -> Payment:
    """Record what the gateway says and draw the consequences, once. Returns the payment as it is then."""
    with transaction.atomic():
        order, payment = lock_payment(payment_id)
        _record(payment, proof)
        _CONSEQUENCES[proof.status](order, payment, proof)
    return payment


def _record(payment: Payment, proof: Charge) -> None:
    """Append the fact, unless it is known already."""
    PaymentEvent.objects.get_or_create(
        dedupe_key=f"{payment.idempotency_key}:{proof.status}:{proof.reference}",
        defaults={
            "payment": payment,
            "kind": EventKind(proof.status),
            "amount_paise": proof.amount_paise,
            "detail": {"reference": proof.reference, "currency": proof.currency, "reason": proof.reason},
        },
    )


def _capture(order: Order, payment: Payment, proof: Charge) -> None:
    facts = {"captured_paise": proof.amount_paise, **_facts(proof)}
    if not Payment.objects.advance(payment, PaymentState.CAPTURED, **facts):
        return
    if (proof.amount_paise, proof.currency) != (payment.amount_paise, payment.currency):
        _fail_order(payment, "the captured amount differs")
        refunds.open_refund(payment, proof.amount_paise, "the captured amount differs")
    elif not _pay_order(order):
        refunds.open_refund(payment, proof.amount_paise, f"the order was {order.state} when the money came")


def _decline(order: Order, payment: Payment, proof: Charge) -> None:
    if Payment.objects.advance(payment, PaymentState.DECLINED, **_facts(proof)):
        _fail_order(payment, proof.reason or "declined")


def _cancel(order: Order, payment: Payment, proof: Charge) -> None:
    """Who had the intent cancelled decides about the order."""
    Payment.objects.advance(payment, PaymentState.CANCELLED, **_facts(proof))


def _pay_order(order: Order) -> bool:
    """Mark the order paid; one that had failed gets its stock back first, if there is any left."""
    if order.state == OrderState.PAYMENT_FAILED:
        try:
            lifecycle.reopen(order.pk)
        except OutOfStock:
            return False
    return lifecycle.mark_paid(order.pk)


def _fail_order(payment: Payment, reason: str) -> None:
    """Tell the order, unless another payment of it is open by now."""
    if not Payment.objects.open().filter(order_id=payment.order_id).exists():
        lifecycle.mark_payment_failed(payment.order_id, reason)


def _facts(proof: Charge) -> dict[str, object]:
    return {"gateway_reference": proof.reference, "reason": proof.reason, "settled_at": timezone.now()}


_CONSEQUENCES: dict[ChargeStatus, Callable[[Order, Payment, Charge], None]] = {
    ChargeStatus.CAPTURED: _capture,
    ChargeStatus.DECLINED: _decline,
    ChargeStatus.CANCELLED: _cancel,
}
