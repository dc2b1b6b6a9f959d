"""Stripe's answers in our words. https://docs.stripe.com/payments/paymentintents/lifecycle"""

from typing import Any

from .base import Charge, ChargeStatus, GatewayUnknown, Intent, RefundResult, RefundStatus, plain

Answer = dict[str, Any]
STATUSES = {
    "succeeded": ChargeStatus.CAPTURED,
    "requires_capture": ChargeStatus.AUTHORIZED,
    "canceled": ChargeStatus.CANCELLED,
    "processing": ChargeStatus.PENDING,
    "requires_action": ChargeStatus.PENDING,
    "requires_confirmation": ChargeStatus.PENDING,
    "requires_payment_method": ChargeStatus.PENDING,
}
REFUND_STATUSES = {
    "succeeded": RefundStatus.SUCCEEDED,
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


def charge_of(made: Answer, intent: Intent) -> Charge:
    """A PaymentIntent in our words. A decline is final where we had the token; else the customer may try again."""
    told = member(made, "status")
    status = STATUSES.get(told)
    if status is None:
        raise GatewayUnknown(f"an intent in a state that we do not know: {told!r}")
    if told == "requires_payment_method" and intent.token:
        status = ChargeStatus.DECLINED
    return Charge(
        status=status,
        reference=member(made, "id"),
        amount_paise=_amount(made, status),
        currency=member(made, "currency").upper(),
        reason="" if status == ChargeStatus.CAPTURED else plain(text(made, "last_payment_error", "message")),
        intent_reference=member(made, "id"),
        client_secret=text(made, "client_secret") if status == ChargeStatus.PENDING else "",
        order_id=text(made, "metadata", "order"),
        refunded_paise=_refunded(made),
    )


def no_charge(intent: Intent, reason: str) -> Charge:
    """A decline for which Stripe made no intent."""
    return Charge(ChargeStatus.DECLINED, intent.name, 0, intent.currency, reason)


def refund_of(made: Answer) -> RefundResult:
    """A Refund in our words."""
    status = REFUND_STATUSES.get(member(made, "status"))
    if status is None:
        raise GatewayUnknown(f"a refund in a state that we do not know: {made['status']!r}")
    return RefundResult(status, member(made, "id"), plain(text(made, "failure_reason")))


def member(made: Answer, name: str) -> str:
    """A text that must be there."""
    value = made.get(name)
    if not isinstance(value, str):
        raise GatewayUnknown(f"the answer's {name} is {value!r}, expected text")
    return value


def text(made: Any, *path: str) -> str:
    """A text that may be missing, or anything above it."""
    for name in path:
        made = made.get(name) if isinstance(made, dict) else None
    return made if isinstance(made, str) else ""


def _amount(made: Answer, status: ChargeStatus) -> int:
    names = {ChargeStatus.CAPTURED: "amount_received", ChargeStatus.AUTHORIZED: "amount_capturable"}
    amount = made.get(names[status]) if status in names else 0
    if type(amount) is not int:
        raise GatewayUnknown(f"the answer's {names[status]} is {amount!r}, expected a whole number")
    return amount


def _refunded(made: Answer) -> int:
    charge = made.get("latest_charge")
    amount = charge.get("amount_refunded") if isinstance(charge, dict) else 0
    return amount if type(amount) is int else 0
