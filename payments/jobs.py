"""The background jobs of payments; each body is one call into a service."""

from django.conf import settings

from orders.events import order_cancelled, order_paid, order_placed, order_refunded, return_received, review_decided
from queues import job

from .events import (
    order_overdue,
    payment_authorized,
    payment_confirmed,
    payment_given_up,
    payment_needs_review,
    payment_pending,
    payment_requested,
    payment_uncertain,
    razorpay_event_received,
    refund_requested,
    stripe_event_received,
)
from .services import collect, expiry, mails, questions, reconciliation, refunds, returning, reviewing, webhooks


@job(queue="payment", on=(order_placed, payment_requested))
def process_payment(order_id: int) -> None:
    """Charge what the order owes, if it has a payment token."""
    collect.charge(order_id)


@job(queue="payment", on=(payment_uncertain, payment_pending), key="verify-{payment_id}")
def verify_payment(payment_id: int) -> None:
    """Ask the gateway what became of a payment until it is decided."""
    questions.verify(payment_id)


@job(queue="payment", on=payment_confirmed)
def check_payment(payment_id: int) -> None:
    """Ask the gateway once, since the storefront says that its customer has paid."""
    questions.check(payment_id)


@job(queue="payment-retry")
def review_capture(payment_id: int) -> None:
    """Ask a person to look at authorized money that could not be captured."""
    questions.give_up_capture(payment_id)


@job(queue="payment-retry", run_after=3600, on_failed=review_capture)
def retry_capture(payment_id: int) -> None:
    """Try to capture once more, an hour apart, after the payment queue has given up."""
    questions.capture(payment_id)


@job(queue="payment", on=payment_authorized, on_failed=retry_capture)
def capture_payment(payment_id: int) -> None:
    """Take the money that was authorized, unless a review holds it."""
    questions.capture(payment_id)


@job(queue="payment", on=payment_given_up)
def void_payment(payment_id: int) -> None:
    """Have the gateway cancel an authorization or a pending payment that nobody wants any more."""
    questions.void(payment_id)


@job(queue="manual-review", on=payment_needs_review)
def open_review(payment_id: int, reason: str) -> None:
    """Have a person look at a payment."""
    reviewing.open_for_payment(payment_id, reason)


@job(queue="payment", on=review_decided)
def carry_out_review(review_id: int) -> None:
    """Capture or give up the money that the review was about."""
    reviewing.carry_out(review_id)


@job(queue="payment", on=return_received)
def refund_return(return_id: int) -> None:
    """Give back what returned goods have cost."""
    returning.refund_return(return_id)


@job(queue="order", on=order_refunded, cpu=True)
def issue_credit_note(refund_id: int) -> None:
    """Write the credit note of a refund, if the order was invoiced."""
    returning.credit(refund_id)


@job(queue="payment-retry")
def review_refund(refund_id: int) -> None:
    """Ask a person to look at a refund that could not be made."""
    refunds.give_up(refund_id)


@job(queue="payment-retry", run_after=3600, on_failed=review_refund)
def retry_refund(refund_id: int) -> None:
    """Try to refund once more, an hour apart, after the payment queue has given up."""
    refunds.submit(refund_id)


@job(queue="payment", on=refund_requested, on_failed=retry_refund)
def refund_payment(refund_id: int) -> None:
    """Have the gateway give money back."""
    refunds.submit(refund_id)


@job(queue="email", on=order_refunded)
def refund_issued(refund_id: int) -> None:
    """Mail the customer that money was given back."""
    mails.send_refund_issued(refund_id)


@job(queue="payment-webhook", on=stripe_event_received)
def apply_stripe_event(provider_event_id: int) -> None:
    """Ask Stripe about what its event names."""
    webhooks.apply(provider_event_id)


@job(queue="payment-webhook", on=razorpay_event_received)
def apply_razorpay_event(provider_event_id: int) -> None:
    """Ask Razorpay about what its event names."""
    webhooks.apply(provider_event_id)


@job(queue="payment-webhook", every=300, key="reconcile-payments")
def reconcile_payments() -> None:
    """Compare the payments of the last five days with the gateways' books."""
    reconciliation.reconcile()


@job(queue="payment-webhook", cron="45 3 * * *", key="prune-provider-events")
def prune_provider_events() -> None:
    """Delete the providers' events that were dealt with a month ago."""
    webhooks.prune()


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


@job(queue="order", on=order_overdue, key="cancel-{order_id}", withdraw_on=(order_paid, order_cancelled))
def cancel_overdue(order_id: int) -> None:
    """Cancel an unpaid order whose auto-cancel is lost, after asking the gateway."""
    expiry.cancel_unpaid(order_id)


@job(queue="order", every=3600, key="retry-auto-cancels")
def retry_auto_cancels() -> None:
    """Let auto-cancels that were given up or are lost run again, where the order is still unpaid."""
    expiry.retry_given_up()
