"""The named points at which a process is killed: before and after each step whose loss would cost money or mail."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Point:
    """`target` is `module:function`; the process dies `when` it is called, or when it has returned.

    `job` restricts it to calls about a job of that name. `order` says what has to happen for the point to be reached
    (`ways.py`), `staff` that it is a person of the shop who reaches it, not a worker.
    """

    name: str
    target: str
    when: str
    job: str = ""
    order: str = "paid"
    staff: bool = False


def _around(name: str, target: str, **more: Any) -> list[Point]:
    return [Point(f"{when} {name}", target, when, **more) for when in ("before", "after")]


CHARGE = "payments.process_payment"
CONFIRMATION = "orders.order_confirmation"
DECIDED = "orders.services.review:events.review_decided.emit"

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
    Point("after the invoice is stored", "orders.services.documents:_store", "after"),
    *_around("opening of the review", "payments.services.reviewing:open_for_payment", order="approved"),
    Point("before commit of the review", "orders.services.review:_tell_staff", "after", order="approved"),
    Point("before commit of the approval", DECIDED, "after", order="approved", staff=True),
    Point("after the approval", "orders.services.review:_close", "after", order="approved", staff=True),
    *_around("letting go", "payments.services.holds:let_go", order="approved"),
    *_around("capture", "payments.gateways.simulated:SimulatedGateway.capture", order="approved"),
    Point("before commit of the refusal", DECIDED, "after", order="refused", staff=True),
    *_around("refusal", "payments.services.reviewing:_refuse", order="refused"),
    *_around("void", "payments.gateways.simulated:SimulatedGateway.cancel", order="refused"),
    Point(
        "before commit of the answer", "orders.services.review:returns.answer", "after", order="returned", staff=True
    ),
    Point("before commit of the receipt", "orders.services.stock:restock", "after", order="returned", staff=True),
    Point("after the receipt", "orders.services.returns:receive", "after", order="returned", staff=True),
    *_around("promise of the return's refund", "payments.services.returning:refund_return", order="returned"),
    Point("before commit of its promise", "orders.services.return_money:note_refund", "after", order="returned"),
    *_around("end of the return", "orders.services.return_money:mark_refunded", order="returned"),
    *_around("number of the credit note", "orders.services.crediting:_give_number", order="returned"),
    *_around("publishing of the credit note", "orders.services.crediting:_publish", order="returned"),
    Point("after the credit note is stored", "orders.services.documents:_store", "after", order="returned"),
]
