from queues import Event

notification_requested = Event("notification_requested", "notification_id", subject="notification-{notification_id}")
webhook_due = Event("webhook_due", "delivery_id", subject="webhook-{delivery_id}")
