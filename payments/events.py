"""What happens to payments, for jobs to react to."""

from queues import Event

order_overdue = Event("order_overdue", "order_id", subject="order-{order_id}")
payment_requested = Event("payment_requested", "order_id", subject="order-{order_id}")
payment_uncertain = Event("payment_uncertain", "payment_id", "order_id", subject="order-{order_id}")
payment_pending = Event("payment_pending", "payment_id", "order_id", subject="order-{order_id}")
payment_confirmed = Event("payment_confirmed", "payment_id", "order_id", subject="order-{order_id}")
payment_authorized = Event("payment_authorized", "payment_id", "order_id", subject="order-{order_id}")
payment_given_up = Event("payment_given_up", "payment_id", "order_id", subject="order-{order_id}")
payment_needs_review = Event("payment_needs_review", "payment_id", "order_id", "reason", subject="order-{order_id}")
refund_requested = Event("refund_requested", "refund_id", "order_id", subject="order-{order_id}")
stripe_event_received = Event("stripe_event_received", "provider_event_id")
razorpay_event_received = Event("razorpay_event_received", "provider_event_id")
