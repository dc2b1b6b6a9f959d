"""What happens to orders, for the jobs that react to it."""

from queues import Event

order_placed = Event("order_placed", "order_id", subject="order-{order_id}")
order_paid = Event("order_paid", "order_id", subject="order-{order_id}")
payment_failed = Event("payment_failed", "order_id", subject="order-{order_id}")
order_cancelled = Event("order_cancelled", "order_id", subject="order-{order_id}")
order_shipped = Event("order_shipped", "order_id", subject="order-{order_id}")
order_delivered = Event("order_delivered", "order_id", subject="order-{order_id}")
shipment_reported = Event("shipment_reported", "order_id", "shipment_id", "status", subject="order-{order_id}")
order_refunded = Event("order_refunded", "order_id", "refund_id", "amount_paise", subject="order-{order_id}")
"""Emitted by whoever gives money back, once the gateway has confirmed it."""
order_refund_failed = Event("order_refund_failed", "order_id", "refund_id", "reason", subject="order-{order_id}")
"""The same for money that the gateway did not give back, or that came back from the bank after `order_refunded`."""
order_suspicious = Event("order_suspicious", "order_id", "reasons", subject="order-{order_id}")
review_decided = Event("review_decided", "order_id", "review_id", subject="order-{order_id}")
"""A person, or the deadline, has decided what the review was about: `ReviewItem.state`."""
return_requested = Event("return_requested", "order_id", "return_id", subject="order-{order_id}")
return_answered = Event("return_answered", "order_id", "return_id", subject="order-{order_id}")
return_received = Event("return_received", "order_id", "return_id", "amount_paise", subject="order-{order_id}")
"""The goods are back: whoever took the money gives so much of it back, and says so by `order_refunded`."""
return_settled = Event("return_settled", "order_id", "return_id", "amount_paise", subject="order-{order_id}")
"""Staff has given the money back in a way that `order_refunded` knows nothing of."""
daily_report_made = Event("daily_report_made", "report_id", subject="report-{report_id}")
credit_note_issued = Event("credit_note_issued", "order_id", "credit_note_id", subject="order-{order_id}")
invoice_issued = Event("invoice_issued", "order_id", "invoice_id", subject="order-{order_id}")
