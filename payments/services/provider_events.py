"""The providers' events: which kinds mean something, and the names in them."""

from enum import StrEnum
from typing import Any

LONGEST_NAME = 255


class Hint(StrEnum):
    """What an event is about."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"


HINTS: dict[str, dict[str, Hint]] = {
    "stripe": {
        **dict.fromkeys(
            [
                "payment_intent.succeeded",
                "payment_intent.payment_failed",
                "payment_intent.amount_capturable_updated",
                "payment_intent.canceled",
                "payment_intent.processing",
                "payment_intent.requires_action",
            ],
            Hint.PAYMENT,
        ),
        **dict.fromkeys(["charge.refunded"], Hint.PAYMENT),
        **dict.fromkeys(["refund.created", "refund.updated", "refund.failed"], Hint.REFUND),
        **dict.fromkeys(["charge.dispute.created", "charge.dispute.closed"], Hint.DISPUTE),
    },
    "razorpay": {
        **dict.fromkeys(["payment.authorized", "payment.captured", "payment.failed", "order.paid"], Hint.PAYMENT),
        **dict.fromkeys(["refund.created", "refund.processed", "refund.failed"], Hint.REFUND),
        **dict.fromkeys(["payment.dispute.created", "payment.dispute.won", "payment.dispute.lost"], Hint.DISPUTE),
    },
}


def names_in(provider: str, event: dict[str, Any]) -> dict[str, str]:
    """The provider's and our names in an event: `intent`, `name`, `refund`, `refund_name`; nothing else is kept."""
    found = _names_in_stripe(event) if provider == "stripe" else _names_in_razorpay(event)
    return {label: name for label, name in found.items() if 0 < len(name) <= LONGEST_NAME and name.isprintable()}


def _names_in_stripe(event: dict[str, Any]) -> dict[str, str]:
    thing = _inside(event, "data", "object")
    if thing.get("object") == "payment_intent":
        return {"intent": _text(thing, "id"), "name": _text(_inside(thing, "metadata"), "payment")}
    names = {"intent": _text(thing, "payment_intent")}
    if thing.get("object") == "refund":
        names |= {"refund": _text(thing, "id"), "refund_name": _text(_inside(thing, "metadata"), "name")}
    return names


def _names_in_razorpay(event: dict[str, Any]) -> dict[str, str]:
    payment = _inside(event, "payload", "payment", "entity")
    order = _inside(event, "payload", "order", "entity")
    refund = _inside(event, "payload", "refund", "entity")
    return {
        "intent": _text(order, "id") or _text(payment, "order_id"),
        "name": _text(order, "receipt"),
        "refund": _text(refund, "id"),
        "refund_name": _text(_inside(refund, "notes"), "name"),
    }


def _inside(thing: Any, *path: str) -> dict[str, Any]:
    for name in path:
        thing = thing.get(name) if isinstance(thing, dict) else None
    return thing if isinstance(thing, dict) else {}


def _text(thing: dict[str, Any], name: str) -> str:
    value = thing.get(name)
    return value if isinstance(value, str) else ""
