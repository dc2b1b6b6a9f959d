from queues import job

from . import events, services


@job(queue="email", on=events.user_registered)
def welcome(user_id: int) -> None:
    """Greet a new shopper by e-mail."""
    services.send_welcome(user_id)


@job(queue="order", cron="30 3 * * *", key="clear-sessions")
def clear_sessions() -> None:
    """Delete the sessions that have expired."""
    services.clear_sessions()
