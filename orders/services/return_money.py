"""The money of returns that were received: refunded by whoever took it, or, where that fails, as staff says.

Every step has the order's lock and the old state in its WHERE. A return that waits for a refund bears its number.
"""

from django.db import transaction

from .. import events, locks
from ..errors import ReturnNotUnpaid
from ..models import ReturnRequest
from ..states import OrderEvent, ReturnState
from .returns import log, move

PAID_OR_PROMISED = (ReturnState.RECEIVED, ReturnState.REFUNDED)
LONGEST = 300


def note_refund(return_id: int, refund_number: int) -> bool:
    """Remember which refund gives the money back, once; in the transaction that promises it."""
    unasked = ReturnRequest.objects.filter(pk=return_id, state=ReturnState.RECEIVED, refund_number=None)
    return bool(unasked.update(refund_number=refund_number))


@transaction.atomic
def mark_refunded(refund_number: int) -> bool:
    """received -> refunded, if the refund was a return's."""
    wanted = _waiting_for(refund_number)
    if wanted is None or not move(wanted, ReturnState.RECEIVED, ReturnState.REFUNDED):
        return False
    log(wanted, OrderEvent.RETURN_REFUNDED, wanted.amount)
    return True


@transaction.atomic
def mark_refund_failed(refund_number: int, reason: str) -> bool:
    """received | refunded -> unpaid, if the refund was a return's: a bank may send back what was given back."""
    wanted = _waiting_for(refund_number)
    return wanted is not None and mark_unpaid(wanted, f"refund {refund_number} failed: {reason}")


def mark_unpaid(wanted: ReturnRequest, reason: str) -> bool:
    """The same for a reason of its own, in the caller's transaction, under the order's lock."""
    facts = {"unpaid_because": reason[:LONGEST], "refund_number": None}
    if not any(move(wanted, state, ReturnState.UNPAID, **facts) for state in PAID_OR_PROMISED):
        return False
    log(wanted, OrderEvent.RETURN_UNPAID, reason)
    return True


@transaction.atomic
def refund_again(return_id: int, by: object) -> ReturnRequest:
    """unpaid -> received: the money is asked for once more. Raises ReturnNotUnpaid."""
    wanted = _unpaid(return_id, ReturnState.RECEIVED)
    log(wanted, OrderEvent.RETURN_RECEIVED, f"to be refunded again, by {by}")
    events.return_received.emit(order_id=wanted.order_id, return_id=return_id, amount_paise=wanted.amount_paise)
    return wanted


@transaction.atomic
def pay_otherwise(return_id: int, how: str, by: object) -> ReturnRequest:
    """unpaid -> refunded, on the word of staff: `how` is kept. Raises ReturnNotUnpaid."""
    wanted = _unpaid(return_id, ReturnState.REFUNDED, paid_otherwise=f"{how} ({by})"[:LONGEST])
    log(wanted, OrderEvent.RETURN_REFUNDED, f"{wanted.amount}, {wanted.paid_otherwise}")
    events.return_settled.emit(order_id=wanted.order_id, return_id=return_id, amount_paise=wanted.amount_paise)
    return wanted


def _waiting_for(refund_number: int) -> ReturnRequest | None:
    """The return whose money this is, under its order's lock."""
    wanted = ReturnRequest.objects.filter(refund_number=refund_number).first()
    if wanted:
        locks.lock_order(wanted.order_id)
        wanted.refresh_from_db()
    return wanted if wanted and wanted.refund_number == refund_number else None


def _unpaid(return_id: int, state: ReturnState, **facts: str) -> ReturnRequest:
    wanted = ReturnRequest.objects.get(pk=return_id)
    locks.lock_order(wanted.order_id)
    if not move(wanted, ReturnState.UNPAID, state, unpaid_because="", **facts):
        raise ReturnNotUnpaid
    return wanted
