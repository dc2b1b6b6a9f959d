from queues import job

from . import events, services


@job(queue="email", on=events.user_registered)
def welcome(user_id: int) -> None:
    """Greet a new shopper by e-mail."""
    services.send_welcome(user_id)


@job(queue="email", on=events.password_reset_requested)
def password_reset(user_id: int, notification_id: int) -> None:
    """Mail a key for a new password; it is made now and nowhere written down."""
    services.send_password_reset(user_id, notification_id)


@job(queue="order", cron="30 3 * * *", key="clear-sessions")
def clear_sessions() -> None:
    """Delete the sessions that have expired."""
    services.clear_sessions()
