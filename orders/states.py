"""The states of an order and of a reservation, and which may follow which."""

from collections.abc import Mapping

from django.db.models import TextChoices


class OrderState(TextChoices):
    PENDING = "pending"
    PAYMENT_FAILED = "payment_failed"
    PAID = "paid"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


TRANSITIONS: Mapping[OrderState, tuple[OrderState, ...]] = {
    OrderState.PENDING: (OrderState.PAID, OrderState.PAYMENT_FAILED, OrderState.CANCELLED),
    OrderState.PAYMENT_FAILED: (OrderState.PENDING, OrderState.CANCELLED),
    OrderState.PAID: (OrderState.PROCESSING,),
    OrderState.PROCESSING: (OrderState.SHIPPED,),
    OrderState.SHIPPED: (OrderState.DELIVERED,),
    OrderState.DELIVERED: (),
    OrderState.CANCELLED: (OrderState.PENDING,),  # only when its money comes after its time (NOT_PAID_IN_TIME)
}

UNPAID = (OrderState.PENDING, OrderState.PAYMENT_FAILED)
PAID_FOR = (OrderState.PAID, OrderState.PROCESSING, OrderState.SHIPPED, OrderState.DELIVERED)
STILL_HERE = (OrderState.PAID, OrderState.PROCESSING)
"""Paid for and not sent off: a review may call it off."""
NOT_PAID_IN_TIME = "not paid in time"
"""Why an order was cancelled by the clock alone: told to the customer, and what late money may undo."""
GIVES_STOCK_BACK = (OrderState.PAYMENT_FAILED, OrderState.CANCELLED)


def states_before(state: OrderState) -> list[OrderState]:
    """The states from which an order may come to `state`."""
    return [before for before, following in TRANSITIONS.items() if state in following]


class ReservationState(TextChoices):
    """held <-> released while the order is unpaid; held -> committed when the goods are taken out."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"


class ShipmentStatus(TextChoices):
    """Where a parcel is, as its carrier says; in this order, steps may be left out and none leads back."""

    SHIPPED = "shipped"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"


def statuses_before(status: ShipmentStatus) -> list[ShipmentStatus]:
    """The statuses from which a shipment may come to `status`."""
    every = list(ShipmentStatus)
    return every[: every.index(status)]


class MovementReason(TextChoices):
    """Why a product's stock changed."""

    OPENING = "opening"
    RESERVED = "reserved"
    RELEASED = "released"
    COMMITTED = "committed"
    RECEIVED = "received"
    WAREHOUSE = "warehouse"
    RETURNED = "returned"


class ReviewKind(TextChoices):
    """Why a person has to decide something about an order."""

    HIGH_VALUE = "high_value"
    SUSPICIOUS = "suspicious"
    PAYMENT_DISCREPANCY = "payment_discrepancy"
    RETURN_REQUEST = "return_request"


HOLDS_ORDER = (ReviewKind.HIGH_VALUE, ReviewKind.SUSPICIOUS)
"""Until these are approved, the order is not shipped."""


class ReviewState(TextChoices):
    """open -> approved | rejected | expired (nobody has decided before the deadline)."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class ReturnState(TextChoices):
    """requested -> approved | rejected, approved -> received -> refunded.

    received | refunded -> unpaid (the money did not go, or came back), unpaid -> received (tried again) | refunded.
    """

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    RECEIVED = "received"
    UNPAID = "unpaid"
    REFUNDED = "refunded"


class CountedKind(TextChoices):
    """What analytics counts of an order."""

    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class OrderEvent(TextChoices):
    """What an order's log tells."""

    PLACED = "placed"
    PAID = "paid"
    PAYMENT_FAILED = "payment_failed"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    STOCK_RELEASED = "stock_released"
    INVOICE_ISSUED = "invoice_issued"
    REVIEW_OPENED = "review_opened"
    REVIEW_APPROVED = "review_approved"
    REVIEW_REJECTED = "review_rejected"
    REVIEW_EXPIRED = "review_expired"
    RETURN_REQUESTED = "return_requested"
    RETURN_APPROVED = "return_approved"
    RETURN_REJECTED = "return_rejected"
    RETURN_RECEIVED = "return_received"
    RETURN_UNPAID = "return_unpaid"
    RETURN_REFUNDED = "return_refunded"
    CREDIT_NOTE_ISSUED = "credit_note_issued"
