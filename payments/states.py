"""The states of a payment and of a refund, as data.

    created -> submitted -> pending -> authorized -> captured
    submitted | pending -> declined | cancelled | captured
    created -> cancelled (never sent to the gateway), authorized -> cancelled (given up)
    waiting -> created (the payment before it has ended) | cancelled
    declined -> cancelled, declined | cancelled -> captured (the gateway's later word; money is a fact)

Nothing leads back, so that proofs may come in any order and more than once.
"""

from django.db.models import TextChoices


class PaymentState(TextChoices):
    """`submitted`: the outcome is not known; `pending`: the gateway waits for the customer or a bank.

    `waiting`: for the end of a pending payment that its customer has given up for this one.
    """

    WAITING = "waiting"
    CREATED = "created"
    SUBMITTED = "submitted"
    PENDING = "pending"
    DECLINED = "declined"
    AUTHORIZED = "authorized"
    CANCELLED = "cancelled"
    CAPTURED = "captured"


class Ending(TextChoices):
    """What its customer wants once a pending payment is cancelled at the gateway."""

    CANCEL = "cancel", "the order is cancelled"
    REPLACE = "replace", "another payment takes its place"


class RefundState(TextChoices):
    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class EventKind(TextChoices):
    SUBMITTED = "submitted"
    UNCERTAIN = "uncertain"
    GIVEN_UP = "given up"
    PENDING = "pending"
    AUTHORIZED = "authorized"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    CAPTURED = "captured"
    REFUND_REQUESTED = "refund requested"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund failed"
    NEEDS_REVIEW = "needs review"


class ProviderEventState(TextChoices):
    """`unknown`: of a kind that means nothing to us; `unmatched`: about nothing of ours."""

    RECEIVED = "received"
    APPLIED = "applied"
    UNKNOWN = "unknown"
    UNMATCHED = "unmatched"


UNDECIDED = (PaymentState.SUBMITTED, PaymentState.PENDING)
HAS_BEEN_SENT = (*UNDECIDED, PaymentState.AUTHORIZED)
OPEN = (PaymentState.CREATED, *HAS_BEEN_SENT)
NOT_SENT = (PaymentState.WAITING, PaymentState.CREATED)

SOURCES: dict[PaymentState, tuple[PaymentState, ...]] = {
    PaymentState.CREATED: (PaymentState.WAITING,),
    PaymentState.SUBMITTED: (PaymentState.CREATED,),
    PaymentState.PENDING: (PaymentState.SUBMITTED,),
    PaymentState.DECLINED: UNDECIDED,
    PaymentState.AUTHORIZED: UNDECIDED,
    PaymentState.CANCELLED: (PaymentState.WAITING, *OPEN, PaymentState.DECLINED),
    PaymentState.CAPTURED: (*HAS_BEEN_SENT, PaymentState.DECLINED, PaymentState.CANCELLED),
}
"""Where each state may be reached from."""

REFUND_SOURCES: dict[RefundState, tuple[RefundState, ...]] = {
    RefundState.SUCCEEDED: (RefundState.REQUESTED,),
    RefundState.FAILED: (RefundState.REQUESTED, RefundState.SUCCEEDED),
}
"""The same for a refund: a bank may send back what was given back."""
