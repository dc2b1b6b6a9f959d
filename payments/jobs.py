"""The background jobs of payments; each body is one call into a service."""

from django.conf import settings

from orders.events import order_cancelled, order_paid, order_placed
from queues import job

from .events import payment_requested, payment_uncertain, refund_requested
from .services import collect, expiry, refunds


@job(queue="payment", on=(order_placed, payment_requested))
def process_payment(order_id: int) -> None:
    """Charge what the order owes, if it has a payment token."""
    collect.charge(order_id)


@job(queue="payment", on=payment_uncertain, key="verify-{payment_id}")
def verify_payment(payment_id: int) -> None:
    """Ask the gateway what became of a payment whose outcome is not known."""
    collect.verify(payment_id)


@job(queue="payment", on=refund_requested)
def refund_payment(refund_id: int) -> None:
    """Have the gateway give money back."""
    refunds.submit(refund_id)


@job(
    queue="order",
    on=order_placed,
    run_after=settings.PAYMENT_WINDOW,
    key="cancel-{order_id}",
    withdraw_on=(order_paid, order_cancelled),
)
def auto_cancel(order_id: int) -> None:
    """Cancel the order if it is still unpaid, after asking the gateway."""
    expiry.cancel_unpaid(order_id)


@job(queue="order", every=3600, key="retry-auto-cancels")
def retry_auto_cancels() -> None:
    """Let auto-cancels that were given up run again, where the order is still unpaid."""
    expiry.retry_given_up()
