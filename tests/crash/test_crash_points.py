"""A real worker is killed at each named point; another takes over, and the end is as if nothing had happened.

The documented exception: a mail goes out twice if its sender dies between the server's 250 and its record.
"""

import pytest

from orders.models import CreditNote, Invoice, Order, Reservation, ReturnRequest, ReviewItem, Stock
from queues.definitions import registry
from queues.models import Attempt, Job
from queues.settings import queue_named
from tests.crash.points import POINTS, Point
from tests.crash.world import World

pytestmark = pytest.mark.thorough

RETURNED = {
    *("order_confirmation", "payment_receipt", "shipping_notification"),
    *("return_approved", "refund_issued", "credit_note"),
}
ENDS = {
    "paid": ("processing", {"order_confirmation", "payment_receipt"}, (9, 0), "committed"),
    "declined": ("payment_failed", {"order_confirmation", "payment_failed"}, (10, 0), "released"),
    "refunded": ("cancelled", {"order_confirmation", "order_cancelled", "refund_issued"}, (10, 0), "released"),
    "approved": ("processing", {"order_confirmation", "payment_receipt"}, (9, 0), "committed"),
    "refused": ("cancelled", {"order_confirmation", "order_cancelled"}, (10, 0), "released"),
    "returned": ("delivered", RETURNED, (10, 0), "committed"),
}
NOT_TAKEN, REFUNDED, INVOICED = {"declined", "refused"}, {"refunded", "returned"}, {"processing", "delivered"}
REVIEWED = {"refunded": ["open"], "approved": ["approved"], "refused": ["rejected"], "returned": ["approved"]}


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_nothing_is_lost_or_done_twice_when_a_process_dies(fresh_world: World, point: Point):
    order = fresh_world.crash_at(point)

    way = point.order.partition(",")[0]
    state, kinds, shelf, reservation = ENDS[way]
    assert order.state == state
    assert fresh_world.money() == money_of(point, order)
    assert Stock.objects.values_list("on_hand", "reserved").get() == shelf
    assert Reservation.objects.values_list("state", flat=True).get() == reservation
    assert Invoice.objects.count() == (state in INVOICED)
    assert CreditNote.objects.count() == (way == "returned")
    assert fresh_world.papers() == sorted([*papers_of(Invoice), *papers_of(CreditNote)])
    assert list(ReviewItem.objects.values_list("state", flat=True)) == REVIEWED.get(way, [])
    assert list(ReturnRequest.objects.values_list("state", flat=True)) == ["refunded"] * (way == "returned")
    mails = fresh_world.mails()
    assert set(mails) == kinds
    assert len(mails) - len(kinds) <= Attempt.objects.filter(outcome="crashed", job__queue="email").count()
    assert Attempt.objects.filter(outcome="crashed", job__name=point.victim).count() == bool(point.victim)
    assert_no_attempt_was_wasted()


def money_of(point: Point, order: Order) -> dict[str, list[int]]:
    taken = [] if point.order in NOT_TAKEN else [order.total_paise]
    return {"taken": taken, "refunded": taken if point.order in REFUNDED else []}


def papers_of(model: type[Invoice] | type[CreditNote]) -> list[str]:
    """The files that the rows name; there are no others."""
    return list(model._default_manager.values_list("pdf", flat=True))


def assert_no_attempt_was_wasted() -> None:
    """One process died: no job that ran in it has spent its attempt, and each counts a crash, except those in a child
    process, which died because its parent died."""
    assert not Job.objects.filter(state="failed").exists()
    crashed = Attempt.objects.filter(outcome="crashed")
    assert not Job.objects.filter(crashes__gt=0).exclude(pk__in=crashed.values("job")).exists()
    for job in Job.objects.filter(pk__in=crashed.values("job")):
        assert job.state == "completed"
        in_child = registry.get(job.name).cpu or queue_named(job.queue).cpu
        assert job.crashes == 1 or (in_child and job.crashes == 0)
        assert job.attempts.filter(outcome="crashed").count() == 1
    for job in Job.objects.filter(state="completed"):
        assert job.attempt == 1 + job.attempts.filter(outcome="retry").count()
