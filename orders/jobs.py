"""The background jobs about orders; each body is one call into a service, safe to repeat."""

from queues import job

from . import events
from .services import (
    analytics as counting,
)
from .services import (
    crediting,
    erp,
    idempotency,
    inventory,
    invoicing,
    lifecycle,
    mails,
    reports,
    return_money,
    review,
    shipping,
    stock,
    suspicion,
    warehouse,
)


@job(queue="order", on=events.order_paid)
def process_order(order_id: int) -> None:
    """Take the goods of a paid order off the shelf and start handling it."""
    lifecycle.begin_processing(order_id)


@job(queue="order", on=events.order_paid, cpu=True)
def generate_invoice(order_id: int) -> None:
    """Issue the tax invoice of a paid order as a PDF."""
    invoicing.generate_invoice(order_id)


@job(queue="order", on=(events.order_placed, events.payment_failed))
def check_for_suspicion(order_id: int) -> list[str]:
    """Look for suspicious patterns around the order."""
    return suspicion.check(order_id)


@job(queue="manual-review", on=events.order_suspicious)
def open_suspicion(order_id: int, reasons: list[str]) -> None:
    """Have a person look at a suspicious order."""
    review.open_suspicion(order_id, reasons)


@job(queue="manual-review", on=events.return_requested)
def open_return(return_id: int) -> None:
    """Have a person look at what a customer wants to send back."""
    review.open_return(return_id)


@job(queue="email", on=events.return_answered)
def return_answered(return_id: int) -> None:
    """Mail the customer whether the goods may be sent back."""
    mails.send_return_answered(return_id)


@job(queue="order", on=events.order_refunded)
def close_return(refund_id: int) -> bool:
    """Mark the return as refunded whose money this was, if it was one's."""
    return return_money.mark_refunded(refund_id)


@job(queue="order", on=events.order_refund_failed)
def reopen_return(refund_id: int, reason: str) -> bool:
    """Let staff decide how a return is paid whose refund has failed."""
    return return_money.mark_refund_failed(refund_id, reason)


@job(queue="order", on=events.return_settled, cpu=True)
def credit_return(return_id: int) -> None:
    """Write the credit note of a return that was paid otherwise, if the order was invoiced."""
    crediting.issue_for_return(return_id)


@job(queue="manual-review", every=300, key="watch-reviews")
def watch_reviews() -> dict[str, int]:
    """Close the reviews whose deadline has passed, and warn staff of those that are next."""
    return review.watch_deadlines()


@job(queue="inventory-release", on=events.payment_failed)
def release_stock_on_failure(order_id: int) -> None:
    """Put the goods back on the shelf while the customer decides whether to pay again."""
    stock.release(order_id)


@job(queue="inventory-release", on=events.order_cancelled)
def release_stock_on_cancellation(order_id: int) -> None:
    """Put the goods of a cancelled order back on the shelf."""
    stock.release(order_id)


@job(queue="email", on=events.order_placed)
def order_confirmation(order_id: int) -> None:
    """Mail the customer what was ordered."""
    mails.send_order_confirmation(order_id)


@job(queue="email", on=events.invoice_issued)
def payment_receipt(order_id: int, invoice_id: int) -> None:
    """Mail the customer the receipt with the invoice."""
    mails.send_payment_receipt(order_id, invoice_id)


@job(queue="email", on=events.credit_note_issued)
def credit_note(credit_note_id: int) -> None:
    """Mail the customer the credit note."""
    mails.send_credit_note(credit_note_id)


@job(queue="email", on=events.payment_failed)
def payment_failed(order_id: int) -> None:
    """Mail the customer that the payment failed."""
    mails.send_payment_failed(order_id)


@job(queue="email", on=events.order_cancelled)
def order_cancelled(order_id: int) -> None:
    """Mail the customer that the order was cancelled."""
    mails.send_order_cancelled(order_id)


@job(queue="email", on=events.order_shipped)
def shipping_notification(order_id: int) -> None:
    """Mail the customer that the parcel is on its way, and how to follow it."""
    mails.send_shipping_notification(order_id)


@job(queue="order", on=events.shipment_reported, key="shipment-{shipment_id}-{status}")
def update_status(shipment_id: int, status: str) -> None:
    """Take over what a carrier reported about a parcel."""
    shipping.update_status(shipment_id, status)


@job(queue="order", on=(events.order_paid, events.order_shipped, events.order_delivered, events.order_cancelled))
def sync_with_erp(order_id: int) -> str:
    """Tell the ERP what has become of the order, if there is one."""
    return erp.sync(order_id)


@job(queue="order", every=3600, key="prune-idempotency-keys")
def prune_idempotency_keys() -> None:
    """Delete the answers that are no longer given again under their Idempotency-Key."""
    idempotency.prune()


@job(queue="inventory-release", every=900, key="sweep-reservations")
def sweep_reservations() -> int:
    """Give back what cancelled and failed orders still hold, because the job that should have done it was lost."""
    return inventory.sweep_reservations()


@job(queue="order", every=300, key="low-stock-notice")
def low_stock_notice() -> list[str]:
    """Tell staff which products are running out, once each time."""
    return inventory.tell_low_stock()


@job(queue="reports", cron="20 2 * * *", key="check-stock-ledger")
def check_stock_ledger() -> list[str]:
    """Compare the stock with the sums of its movements."""
    return inventory.check_ledger()


@job(queue="reports", every=3600, key="stock-sync")
def stock_sync() -> dict[str, int]:
    """Take over what the warehouse has counted, if there is one."""
    return warehouse.sync_stock()


@job(queue="reports", on=(events.order_paid, events.order_cancelled), cpu=False)
def analytics(order_id: int) -> None:
    """Count the order in the figures of its day, once."""
    counting.count_order(order_id)


@job(queue="reports", on=events.order_refunded, cpu=False)
def count_refund(order_id: int, refund_id: int, amount_paise: int) -> None:
    """Count a refund in the figures of its day, once."""
    counting.count_refund(order_id, str(refund_id), amount_paise)


@job(queue="reports", on=events.return_settled, cpu=False)
def count_settled_return(order_id: int, return_id: int, amount_paise: int) -> None:
    """Count a return that was paid otherwise in the figures of its day, once."""
    counting.count_refund(order_id, f"return-{return_id}", amount_paise)


@job(queue="reports", cron="0 9 * * *", key="daily-report")
def daily_report() -> int | None:
    """Make the report on yesterday, once."""
    return reports.make_daily_report()


@job(queue="email", on=events.daily_report_made)
def mail_daily_report(report_id: int) -> None:
    """Mail the report on a day to those who get it, once each."""
    reports.mail_daily_report(report_id)
