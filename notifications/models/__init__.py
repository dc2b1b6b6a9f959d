"""The tables of notifications."""

from .notification import Notification
from .webhook import WebhookDelivery, WebhookEndpoint

__all__ = ["Notification", "WebhookDelivery", "WebhookEndpoint"]
