"""The jobs that turn events into webhooks: one for each event, all alike."""

from notifications.webhook_types import declare
from orders import events
from queues import Event, job

from . import services

QUEUE = services.QUEUE
ORDER_EVENTS = {
    "order.placed": (events.order_placed, "an order was placed"),
    "order.paid": (events.order_paid, "an order was paid"),
    "order.cancelled": (events.order_cancelled, "an order was cancelled"),
    "order.shipped": (events.order_shipped, "an order was sent off"),
    "order.delivered": (events.order_delivered, "an order has arrived"),
    "payment.failed": (events.payment_failed, "a payment of an order failed"),
    "payment.refunded": (events.order_refunded, "money for an order was given back"),
}


def _subscribe(name: str, event: Event, about: str) -> None:
    """Declare the job that tells of the event."""
    declare(name, about)

    def tell(order_id: int) -> None:
        services.tell_of_order(name, order_id)

    tell.__doc__ = f"Tell the endpoints that asked for {name}."
    job(queue=QUEUE, on=event, name=f"webhooks.{event.name}")(tell)


for _name, (_event, _about) in ORDER_EVENTS.items():
    _subscribe(_name, _event, _about)


@job(queue=QUEUE, every=30, key="tell-of-jobs")
def tell_of_jobs() -> int:
    """Tell the endpoints that asked for it of background jobs that have ended."""
    return services.tell_of_jobs()
