"""The one door for every proof of payment, whoever brings it: job, poll, cancellation, webhook.

Under the order's lock, idempotent, forward only: proofs may come in any order and more than once. A capture and
"the order is paid" are one transaction; money that no longer finds its order waiting is given back.
"""

from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from orders.errors import OutOfStock
from orders.models import Order
from orders.services import lifecycle
from orders.states import UNPAID, OrderState

from ..events import payment_authorized, payment_given_up, payment_pending
from ..gateways.base import TAKES_MONEY, Charge, ChargeStatus
from ..locks import lock_payment
from ..models import Payment, PaymentEvent
from ..models.payment import BESIDE
from ..states import EventKind, PaymentState
from . import endings, refunds
from .review import ask_for_review


def settle(payment_id: int, proof: Charge) -> Payment:
    """Record what the gateway says and draw the consequences, once. Returns the payment as it is then."""
    with transaction.atomic():
        order, payment = lock_payment(payment_id)
        for success in (proof, *proof.others):
            _settle(order, _payment_of(payment, success), success)
            if proof.others:
                order.refresh_from_db()
    return payment


def _settle(order: Order, payment: Payment, proof: Charge) -> None:
    _record(payment, proof)
    wrong = _mismatch(payment, proof)
    _CONSEQUENCES[proof.status](order, payment, proof, wrong)


def _payment_of(payment: Payment, proof: Charge) -> Payment:
    """The payment itself; for money beside what was captured for it already, a payment of its own."""
    is_its_own = payment.state != PaymentState.CAPTURED or proof.reference == payment.gateway_reference
    if is_its_own or proof.status != ChargeStatus.CAPTURED:
        return payment
    beside, _ = Payment.objects.get_or_create(
        idempotency_key=f"{BESIDE}{payment.pk}-{proof.reference}"[:255],
        defaults={
            "order_id": payment.order_id,
            "gateway": payment.gateway,
            "amount_paise": proof.amount_paise,
            "currency": payment.currency,
            "state": PaymentState.DECLINED,
            "submitted_at": payment.submitted_at,
        },
    )
    return beside


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


def _mismatch(payment: Payment, proof: Charge) -> str:
    """What of the gateway's word about money does not fit the frozen order, if anything."""
    if proof.status not in TAKES_MONEY:
        return ""
    amount = "captured" if proof.status == ChargeStatus.CAPTURED else "authorized"
    if (proof.amount_paise, proof.currency) != (payment.amount_paise, payment.currency):
        return f"the {amount} amount differs"
    if proof.order_id not in ("", str(payment.order_id)):
        return "the gateway names another order"
    return ""


def _capture(order: Order, payment: Payment, proof: Charge, wrong: str) -> None:
    if not Payment.objects.advance(
        payment, PaymentState.CAPTURED, captured_paise=proof.amount_paise, **_final_facts(proof)
    ):
        return
    if wrong:
        _end_without_money(order, payment, wrong)
    elif not _pay_order(order):
        wrong = f"the order was {order.state} when the money came"
    if wrong:
        refunds.open_refund(payment, proof.amount_paise, wrong)
        ask_for_review(payment, wrong)


def _authorize(order: Order, payment: Payment, proof: Charge, wrong: str) -> None:
    """Money is promised. What a capture could only lead to a refund is not captured but given up: nobody has lost."""
    late = payment.state in (PaymentState.DECLINED, PaymentState.CANCELLED)
    if wrong:
        moved = Payment.objects.advance(payment, PaymentState.AUTHORIZED, held=True, **_facts(proof))
        if moved or late:
            ask_for_review(payment, wrong)
        if late:
            endings.give_up_authorization(order, payment)
    elif Payment.objects.advance(payment, PaymentState.AUTHORIZED, **_facts(proof)):
        _use_authorization(order, payment)
    elif late and may_still_capture(order, payment):
        payment_authorized.emit(payment_id=payment.pk, order_id=payment.order_id)
    elif late:
        endings.give_up_authorization(order, payment)


def _use_authorization(order: Order, payment: Payment) -> None:
    if payment.ending:
        return  # its job gives it up
    if order.state not in UNPAID:
        endings.give_up_authorization(order, payment)
    elif payment.held:
        ask_for_review(payment, "held above the limit")
    else:
        payment_authorized.emit(payment_id=payment.pk, order_id=payment.order_id)


def may_still_capture(order: Order, payment: Payment) -> bool:
    """Whether a late authorization would still pay this order; under the order's lock."""
    rivals = Payment.objects.open().filter(order_id=order.pk).exclude(pk=payment.pk)
    return order.state in UNPAID and not payment.held and not rivals.exists()


def _pend(order: Order, payment: Payment, proof: Charge, wrong: str) -> None:
    facts = {**_facts(proof), "client_secret": proof.client_secret}
    if Payment.objects.advance(payment, PaymentState.PENDING, **facts):
        payment_pending.emit(payment_id=payment.pk, order_id=payment.order_id)
        if order.state not in UNPAID:
            payment_given_up.emit(payment_id=payment.pk, order_id=payment.order_id)
    else:
        _of_this_intent(payment, proof).update(**facts)


def _of_this_intent(payment: Payment, proof: Charge) -> QuerySet[Payment]:
    """The pending payment, unless its customer was told of another intent, which two jobs made at once."""
    known = {"intent_reference__in": ("", proof.intent_reference)} if proof.intent_reference else {}
    return Payment.objects.filter(pk=payment.pk, state=PaymentState.PENDING, **known)


def _decline(order: Order, payment: Payment, proof: Charge, wrong: str) -> None:
    if Payment.objects.advance(payment, PaymentState.DECLINED, **_final_facts(proof)):
        _end_without_money(order, payment, proof.reason or "declined")


def _cancel(order: Order, payment: Payment, proof: Charge, wrong: str) -> None:
    """Who had the intent cancelled decides about the order: its customer, or whoever called."""
    if Payment.objects.advance(payment, PaymentState.CANCELLED, **_final_facts(proof)):
        endings.carry_out(order, payment)


def _end_without_money(order: Order, payment: Payment, reason: str) -> None:
    if not endings.carry_out(order, payment):
        _fail_order(payment, reason)


def _pay_order(order: Order) -> bool:
    """Mark the order paid; one that had failed or was overdue gets its stock back first, if there is any left."""
    reopen = _REOPENINGS.get(OrderState(order.state))
    if reopen:
        try:
            reopen(order.pk)
        except OutOfStock:
            return False
    paid = lifecycle.mark_paid(order.pk)
    if paid:
        endings.end_rivals(order)
    return paid


def _fail_order(payment: Payment, reason: str) -> None:
    """Tell the order, unless another payment of it is open by now."""
    if not Payment.objects.open().filter(order_id=payment.order_id).exists():
        lifecycle.mark_payment_failed(payment.order_id, reason)


def _facts(proof: Charge) -> dict[str, object]:
    intent = {"intent_reference": proof.intent_reference} if proof.intent_reference else {}
    return {"gateway_reference": proof.reference, "reason": proof.reason, **intent}


def _final_facts(proof: Charge) -> dict[str, object]:
    return {**_facts(proof), "client_secret": "", "settled_at": timezone.now()}


_REOPENINGS: dict[OrderState, Callable[[int], bool]] = {
    OrderState.PAYMENT_FAILED: lifecycle.reopen,
    OrderState.CANCELLED: lifecycle.reopen_overdue,
}
_CONSEQUENCES: dict[ChargeStatus, Callable[[Order, Payment, Charge, str], None]] = {
    ChargeStatus.PENDING: _pend,
    ChargeStatus.AUTHORIZED: _authorize,
    ChargeStatus.CAPTURED: _capture,
    ChargeStatus.DECLINED: _decline,
    ChargeStatus.CANCELLED: _cancel,
}
