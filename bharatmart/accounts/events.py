from queues import Event

user_registered = Event("user_registered", "user_id", subject="user-{user_id}")
password_reset_requested = Event("password_reset_requested", "user_id", "notification_id", subject="user-{user_id}")
