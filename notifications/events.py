from queues import Event

notification_requested = Event("notification_requested", "notification_id", subject="notification-{notification_id}")
