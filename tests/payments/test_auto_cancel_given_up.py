"""An auto-cancel that ended in the dead letter or is lost: another runs as long as its order is unpaid."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from orders.models import Order
from payments.services import expiry
from queues import ledger
from queues.models import AuditEntry, Job
from queues.ops import actions
from queues.testing import drain, make_due, moved, tick

from .factories import captured_payment, place, stock_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_gateway(settings: Settings) -> None:
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"  # nothing to ask it


def overdue(hours: float = 2) -> Order:
    """An unpaid order, placed so long ago."""
    order = place("")
    Order.objects.filter(pk=order.pk).update(placed_at=timezone.now() - timedelta(hours=hours))
    return order


def give_up(order: Order) -> Job:
    """Let its auto-cancel fail for good."""
    job = Job.objects.get(key=f"cancel-{order.pk}", state="waiting")
    ledger.withdraw([job.key or ""], reason="")
    Job.objects.filter(pk=job.pk).update(state="failed", attempt=3)
    return job


def test_order_is_cancelled_in_the_end_and_gives_its_stock_back():
    # given an auto-cancel that was given up
    order = overdue()
    job = give_up(order)

    # when an hour has passed
    with moved(hours=1):
        tick()
        drain(queue="order")
        drain(queue="inventory-release")

    # then
    job.refresh_from_db()
    order.refresh_from_db()
    assert (job.state, order.state, stock_of(order)) == ("completed", "cancelled", (10, 0))
    assert AuditEntry.objects.values_list("actor", "action", "job").get() == (
        "payments.retry_auto_cancels",
        "retry",
        job.pk,
    )


def test_second_sweep_finds_nothing_to_do():
    job = give_up(overdue())

    assert expiry.retry_given_up() == [job.pk]
    assert expiry.retry_given_up() == []


def test_auto_cancel_that_fails_again_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    # given a retried auto-cancel that fails as often as it may
    job = give_up(overdue())
    expiry.retry_given_up()
    monkeypatch.setattr(expiry, "cancel_unpaid", lambda order_id: 1 / 0)
    for _ in range(3):
        make_due(pk=job.pk)
        drain(queue="order", raises=False)
    assert Job.objects.get(pk=job.pk).state == "failed"

    # when the next sweep comes, then it waits again
    assert expiry.retry_given_up() == [job.pk]


def test_paid_order_is_left_alone():
    order = overdue()
    give_up(order)
    captured_payment(order)

    assert expiry.retry_given_up() == []


def test_order_whose_time_has_not_come_is_left_alone():
    give_up(overdue(hours=0.9))

    assert expiry.retry_given_up() == []


def test_auto_cancel_that_an_operator_cancelled_is_left_alone():
    order = overdue()
    actions.cancel_under(f"cancel-{order.pk}", actor="asha")

    assert expiry.retry_given_up() == []


def test_auto_cancel_that_waits_is_left_alone():
    overdue()

    assert expiry.retry_given_up() == []


@pytest.mark.parametrize("left", ["nothing", "completed"])
def test_order_whose_auto_cancel_is_lost_gets_another(left: str):
    # given an overdue order of whose auto-cancel nothing is left to run
    order = overdue()
    job = give_up(order)
    if left == "nothing":
        job.delete()
    else:
        Job.objects.filter(pk=job.pk).update(state=left)

    # when two sweeps have come
    for _ in range(2):
        assert expiry.retry_given_up() == []
    drain(queue="order")

    # then
    order.refresh_from_db()
    assert order.state == "cancelled"
    assert Job.objects.get(name="payments.cancel_overdue").state == "completed"


def test_order_of_a_lost_auto_cancel_whose_time_has_not_come_is_left_alone():
    give_up(overdue(hours=0.9)).delete()

    expiry.retry_given_up()

    assert not Job.objects.filter(name="payments.cancel_overdue").exists()
