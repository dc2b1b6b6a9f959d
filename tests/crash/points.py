"""The named points at which a process is killed: before and after each step whose loss would cost money or mail."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Point:
    """`target` is `module:function`; the process dies `when` it is called, or when it has returned.

    `job` restricts it to calls about a job of that name. `order` says what has to happen for the point to be reached
    (`ways.py`), `victim` which job certainly runs in the process then, `person` that it is a customer or staff who
    reaches it, not a worker.
    """

    name: str
    target: str
    when: str
    job: str = ""
    order: str = "paid"
    victim: str = ""
    person: bool = False


def _around(name: str, target: str, **more: Any) -> list[Point]:
    return [Point(f"{when} {name}", target, when, **more) for when in ("before", "after")]


CHARGE = "payments.process_payment"
CONFIRMATION = "orders.order_confirmation"
INVOICE, CREDIT_NOTE = "orders.generate_invoice", "payments.issue_credit_note"
REFUND, RETURNED, REVIEWED = "payments.refund_payment", "payments.refund_return", "payments.carry_out_review"
AGAIN = "paid, and the customer asks again"
DECIDED = "orders.services.review:events.review_decided.emit"

POINTS = [
    Point("before commit of the order", "orders.services.placement:stock.reserve", "after", order=AGAIN, person=True),
    Point("after the order is placed", "orders.services.placement:place_order_once", "after", order=AGAIN, person=True),
    Point("before claim", "queues.ledger:claim", "before"),
    Point("after claim", "queues.ledger:claim", "after", job=CHARGE, victim=CHARGE),
    *_around("verdict", "queues.ledger:finish", job=CHARGE),
    *_around("acknowledge", "queues.brokers.rq.consumer:RqConsumer.finished", job=CHARGE),
    *_around("publish", "queues.brokers.rq.broker:RqBroker.publish"),
    *_around("heartbeat", "queues.ledger.workers:renew"),
    *_around("retry", "queues.ledger:finish", job=CONFIRMATION, order="paid, and the first mail is put off"),
    *_around("intent", "payments.services.collect:_submit_intent", victim=CHARGE),
    *_around("charge", "payments.gateways.simulated:SimulatedGateway.charge", victim=CHARGE),
    *_around("settlement", "payments.services.collect:settle", victim=CHARGE),
    Point("before commit of the settlement", "payments.services.settle:_pay_order", "after", victim=CHARGE),
    *_around("processing", "orders.services.lifecycle:begin_processing", victim="orders.process_order"),
    Point("before commit of the stock", "orders.services.stock:commit", "after", victim="orders.process_order"),
    *_around("number of the invoice", "orders.services.invoicing:_give_number", victim=INVOICE),
    *_around("publishing of the invoice", "orders.services.invoicing:_publish", victim=INVOICE),
    *_around("mail", "notifications.channels.email:send"),
    *_around("record of the mail", "notifications.services.mail:_mark_sent"),
    *_around(
        "release of the stock",
        "orders.services.stock:release",
        order="declined",
        victim="orders.release_stock_on_failure",
    ),
    *_around("refund", "payments.gateways.simulated:SimulatedGateway.refund", order="refunded", victim=REFUND),
    *_around("record of the refund", "payments.services.refunds:_settle", order="refunded", victim=REFUND),
    Point("after the invoice is stored", "orders.services.documents:_store", "after", victim=INVOICE),
    *_around(
        "opening of the review",
        "payments.services.reviewing:open_for_payment",
        order="approved",
        victim="payments.open_review",
    ),
    Point(
        "before commit of the review",
        "orders.services.review:_tell_staff",
        "after",
        order="approved",
        victim="payments.open_review",
    ),
    Point("before commit of the approval", DECIDED, "after", order="approved", person=True),
    Point("after the approval", "orders.services.review:_close", "after", order="approved", person=True),
    *_around("letting go", "payments.services.holds:let_go", order="approved", victim=REVIEWED),
    *_around(
        "capture",
        "payments.gateways.simulated:SimulatedGateway.capture",
        order="approved",
        victim="payments.capture_payment",
    ),
    Point("before commit of the refusal", DECIDED, "after", order="refused", person=True),
    *_around("refusal", "payments.services.reviewing:_refuse", order="refused", victim=REVIEWED),
    *_around("void", "payments.gateways.simulated:SimulatedGateway.cancel", order="refused", victim=REVIEWED),
    Point(
        "before commit of the answer", "orders.services.review:returns.answer", "after", order="returned", person=True
    ),
    Point("before commit of the receipt", "orders.services.stock:restock", "after", order="returned", person=True),
    Point("after the receipt", "orders.services.returns:receive", "after", order="returned", person=True),
    *_around(
        "promise of the return's refund", "payments.services.returning:refund_return", order="returned", victim=RETURNED
    ),
    Point(
        "before commit of its promise",
        "orders.services.return_money:note_refund",
        "after",
        order="returned",
        victim=RETURNED,
    ),
    *_around(
        "end of the return",
        "orders.services.return_money:mark_refunded",
        order="returned",
        victim="orders.close_return",
    ),
    *_around(
        "number of the credit note", "orders.services.crediting:_give_number", order="returned", victim=CREDIT_NOTE
    ),
    *_around(
        "publishing of the credit note", "orders.services.crediting:_publish", order="returned", victim=CREDIT_NOTE
    ),
    Point(
        "after the credit note is stored",
        "orders.services.documents:_store",
        "after",
        order="returned",
        victim=CREDIT_NOTE,
    ),
]

FOLLOW_UPS = _around("the writing of what follows", "queues.ledger.follow_ups:write")
"""Reached by a job that fails for good, which no order's way leads to."""
