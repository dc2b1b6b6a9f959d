from queues import job

from . import events, services
from .services import webhooks


@job(queue="email", on=events.notification_requested)
def deliver(notification_id: int) -> None:
    """Send a message that a request recorded."""
    services.deliver(notification_id)


@job(queue="webhook-out", on=events.webhook_due, key="webhook-{delivery_id}")
def deliver_webhook(delivery_id: int) -> None:
    """Tell an endpoint of an event."""
    webhooks.deliver(delivery_id)


@job(queue="webhook-out", cron="50 3 * * *", key="prune-webhooks")
def prune_webhooks() -> int:
    """Delete old webhook deliveries."""
    return webhooks.prune()
