"""What happens to payments, for jobs to react to."""

from queues import Event

payment_requested = Event("payment_requested", "order_id", subject="order-{order_id}")
payment_uncertain = Event("payment_uncertain", "payment_id", "order_id", subject="order-{order_id}")
refund_requested = Event("refund_requested", "refund_id", "order_id", subject="order-{order_id}")
