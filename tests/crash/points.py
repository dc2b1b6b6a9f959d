"""The named points at which a process is killed: before and after each step whose loss would cost money or mail."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """`target` is `module:function`; the process dies `when` it is called, or when it has returned.

    `job` restricts it to calls about a job of that name. `order` says what has to happen for the point to be reached.
    """

    name: str
    target: str
    when: str
    job: str = ""
    order: str = "paid"


def _around(name: str, target: str, **more: str) -> list[Point]:
    return [Point(f"{when} {name}", target, when, **more) for when in ("before", "after")]


CHARGE = "payments.process_payment"
CONFIRMATION = "orders.order_confirmation"

POINTS = [
    Point("before claim", "queues.ledger:claim", "before"),
    Point("after claim", "queues.ledger:claim", "after", job=CHARGE),
    *_around("verdict", "queues.ledger:finish_all", job=CHARGE),
    *_around("acknowledge", "queues.brokers.rq.consumer:RqConsumer.finished", job=CHARGE),
    *_around("publish", "queues.brokers.rq.broker:RqBroker.publish"),
    *_around("heartbeat", "queues.lease:renew"),
    *_around("retry", "queues.ledger:finish", job=CONFIRMATION, order="paid, and the first mail is put off"),
    *_around("intent", "payments.services.collect:_submit_intent"),
    *_around("charge", "payments.gateways.simulated:SimulatedGateway.charge"),
    *_around("settlement", "payments.services.collect:settle"),
    Point("before commit of the settlement", "payments.services.settle:_pay_order", "after"),
    *_around("processing", "orders.services.lifecycle:begin_processing"),
    Point("before commit of the stock", "orders.services.stock:commit", "after"),
    *_around("number of the invoice", "orders.services.invoicing:_give_number"),
    *_around("publishing of the invoice", "orders.services.invoicing:_publish"),
    *_around("mail", "notifications.channels.email:send"),
    *_around("record of the mail", "notifications.services.mail:_mark_sent"),
    *_around("release of the stock", "orders.services.stock:release", order="declined"),
    *_around("refund", "payments.gateways.simulated:SimulatedGateway.refund", order="refunded"),
    *_around("record of the refund", "payments.services.refunds:_settle", order="refunded"),
]
