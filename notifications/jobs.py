from queues import job

from . import events, services


@job(queue="email", on=events.notification_requested)
def deliver(notification_id: int) -> None:
    """Send a message that a request recorded."""
    services.deliver(notification_id)
