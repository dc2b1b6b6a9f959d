"""What a test of a crash does and sees: arm a point, have it reached, wait until all is settled, look at the end."""

from pathlib import Path

import requests

from notifications.models import Notification
from orders.models import Order, Product
from orders.services import lifecycle
from orders.states import OrderState
from payments.gateways import gateway_named
from payments.models import Payment, Refund
from payments.selectors import intent_of
from payments.services.settle import settle
from queues.models import Job
from queues.states import FINAL
from tests.crash.points import Point
from tests.payments.factories import make_product, place, submitted_payment
from tests.payments.gateway_process import GatewayProcess
from tests.processes import Processes, Started, is_gone, wait_for
from tests.smtp_sink import SmtpSink


class World:
    """One worker of all queues, which is replaced each time it is made to die."""

    def __init__(self, at: Path, gateway: GatewayProcess, sink: SmtpSink, processes: Processes) -> None:
        self.at = at
        self.gateway = gateway
        self.sink = sink
        self.processes = processes
        self.worker: Started | None = None
        self.product: Product

    def begin(self) -> None:
        """A product of which ten lie on the shelf, no mails, nothing armed."""
        self.at.write_text("")
        self.at.with_suffix(".pid").unlink(missing_ok=True)
        self.sink.mails.clear()
        self.product = make_product(on_hand=10)
        if self.worker is None or not self.worker.lives:
            self.worker = self.processes.manage("rqworker")

    def crash_at(self, point: Point) -> Order:
        """Let a process die at the point on the way of an order; the order, once all is settled again."""
        self.at.write_text(point.name)
        order = self._begin_order(point.order)
        marker = self.at.with_suffix(".pid")
        wait_for(lambda: marker.exists() and marker.read_text())
        wait_for(lambda: is_gone(int(marker.read_text())))
        wait_for(lambda: not Job.objects.exclude(state__in=FINAL).exclude(name="payments.auto_cancel").exists())
        return Order.objects.get(pk=order.pk)

    def _begin_order(self, kind: str) -> Order:
        if "put off" in kind:
            self.sink.fail_next("451")
        if kind == "declined":
            return place("tok_decline", self.product)
        if kind == "refunded":
            return self._pay_late(place("", self.product))
        return place("tok_success", self.product)

    def _pay_late(self, order: Order) -> Order:
        """The gateway takes the money of an order that is cancelled meanwhile."""
        payment = submitted_payment(order)
        assert lifecycle.cancel_order(order.pk, "the customer did not want it any more")
        settle(payment.pk, gateway_named(payment.gateway).charge(intent_of(payment)))
        assert Order.objects.get(pk=order.pk).state == OrderState.CANCELLED
        return order

    def money(self) -> dict[str, list[int]]:
        """What the gateway's own book says it took and gave back, in paise."""
        entries = requests.get(f"{self.gateway.url}/book", timeout=5).json()["entries"]
        mine = {*Payment.objects.values_list("idempotency_key", flat=True)}
        mine |= {*Refund.objects.values_list("idempotency_key", flat=True)}
        effects = [(entry["status"], entry["amount_paise"]) for entry in entries if entry["key"] in mine]
        return {
            "taken": [paise for status, paise in effects if status == "captured"],
            "given back": [paise for status, paise in effects if status == "succeeded"],
        }

    def mails(self) -> list[str]:
        """The kinds of the mails that the server has taken, each told by its row."""
        kinds = dict(Notification.objects.values_list("message_id", "kind"))
        return sorted(kinds[str(mail["Message-ID"])] for mail in self.sink.mails)
