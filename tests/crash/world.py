"""What a test of a crash does: arm a point, have it reached, wait until no job is left, and read how it all ended."""

import shutil
import signal
from pathlib import Path
from typing import Any

from notifications.models import Notification
from orders.models import Order, Product
from queues.models import Job
from queues.states import FINAL
from tests.crash.points import Point
from tests.crash.ways import WAYS, act
from tests.payments.factories import make_product
from tests.payments.gateway_process import GatewayProcess
from tests.processes import Processes, Started, is_gone, wait_for
from tests.smtp_sink import SmtpSink


class World:
    """One worker of all queues, which is replaced each time it is made to die.

    `booked` is how many effects the gateway's book had when the test began.
    """

    def __init__(self, folder: Path, gateway: GatewayProcess, sink: SmtpSink, processes: Processes) -> None:
        self.at, self.media = folder / "at", folder / "media"
        self.gateway = gateway
        self.sink = sink
        self.processes = processes
        self.worker: Started | None = None
        self.booked: int
        self.product: Product
        self.point: Point

    def begin(self) -> None:
        """A product of which ten lie on the shelf, no mails, nothing armed."""
        self.at.write_text("")
        self.at.with_suffix(".pid").unlink(missing_ok=True)
        self.sink.mails.clear()
        self.booked = len(self._book())
        shutil.rmtree(self.media, ignore_errors=True)
        self.product = make_product(on_hand=10)
        if self.worker is None or not self.worker.lives:
            self.worker = self.processes.manage("rqworker")

    def crash_at(self, point: Point) -> Order:
        """Let a process die at the point on the way of an order; the order, once all is settled again."""
        self.point = point
        order = WAYS[point.order](self)
        self.wait_for_crash()
        return Order.objects.get(pk=order.pk)

    def wait_for_crash(self) -> None:
        """Until a process has died at the point, and all is settled again."""
        marker = self.at.with_suffix(".pid")
        wait_for(lambda: marker.exists() and marker.read_text())
        wait_for(lambda: is_gone(int(marker.read_text())))
        self.wait_until_settled()

    def arm(self) -> None:
        """From now on the point is deadly, once."""
        self.at.write_text(self.point.name)

    def let_person(self, step: str, pk: int) -> None:
        """Where a person reaches the point, in a process of its own, again until it lives to the end of it."""
        if not self.point.person:
            return act(step, pk)
        words = f"from tests.crash.ways import act; act({step!r}, {pk})"
        while code := self.processes.manage("shell", "-c", words).exit_code():
            assert code == -signal.SIGKILL

    def wait_until_settled(self) -> None:
        """Until no job is left but those of unpaid orders' ends."""
        wait_for(lambda: not Job.objects.exclude(state__in=FINAL).exclude(name="payments.auto_cancel").exists())

    def money(self) -> dict[str, list[int]]:
        """What the gateway has captured and refunded by its own book, in paise, under whatever keys."""
        effects = [(entry["status"], entry["amount_paise"]) for entry in self._book()[self.booked :]]
        return {
            "taken": [paise for status, paise in effects if status == "captured"],
            "refunded": [paise for status, paise in effects if status == "succeeded"],
        }

    def _book(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.gateway.get("/book")["entries"]
        return entries

    def papers(self) -> list[str]:
        """The names of the files of invoices and credit notes."""
        return sorted(path.relative_to(self.media).as_posix() for path in self.media.rglob("*.pdf"))

    def mails(self) -> list[str]:
        """The kinds of the mails that the server has taken, each known from its row."""
        kinds = dict(Notification.objects.values_list("message_id", "kind"))
        return sorted(kinds[str(mail["Message-ID"])] for mail in self.sink.mails)
