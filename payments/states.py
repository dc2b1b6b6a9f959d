"""The states of a payment and of a refund, as data.

    created -> submitted -> captured | declined | cancelled
    created -> cancelled (never sent to the gateway)
    declined -> cancelled, declined | cancelled -> captured (the gateway's later word; money is a fact)

Nothing leads back, so that proofs may come in any order and more than once.
"""

from django.db.models import TextChoices


class PaymentState(TextChoices):
    CREATED = "created"
    SUBMITTED = "submitted"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    CAPTURED = "captured"


class RefundState(TextChoices):
    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class EventKind(TextChoices):
    SUBMITTED = "submitted"
    UNCERTAIN = "uncertain"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    CAPTURED = "captured"
    REFUND_REQUESTED = "refund requested"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund failed"


OPEN = (PaymentState.CREATED, PaymentState.SUBMITTED)

SOURCES: dict[PaymentState, tuple[PaymentState, ...]] = {
    PaymentState.SUBMITTED: (PaymentState.CREATED,),
    PaymentState.DECLINED: (PaymentState.SUBMITTED,),
    PaymentState.CANCELLED: (*OPEN, PaymentState.DECLINED),
    PaymentState.CAPTURED: (PaymentState.SUBMITTED, PaymentState.DECLINED, PaymentState.CANCELLED),
}
"""Where each state may be reached from."""
