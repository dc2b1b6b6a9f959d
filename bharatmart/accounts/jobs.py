from queues import job

from . import events, services


@job(queue="email", on=events.user_registered)
def welcome(user_id: int) -> None:
    """Greet a new shopper by e-mail."""
    services.send_welcome(user_id)
