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


@job(queue="webhook-out", cron="40 3 * * *", key="seal-webhook-secrets")
def seal_webhook_secrets() -> int:
    """Seal the secrets of endpoints under SECRET_KEY that are still sealed under one of its fallbacks."""
    return webhooks.seal_anew()


@job(queue="webhook-out", cron="50 3 * * *", key="prune-webhooks")
def prune_webhooks() -> int:
    """Delete old webhook deliveries."""
    return webhooks.prune()
