"""What follows from an order by itself: events, jobs and their effects, run in this thread."""

from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from orders import jobs
from orders.models import Invoice, Order
from orders.services import lifecycle
from queues.models import Job
from queues.testing import assert_enqueued, drain
from tests.orders.shop import log_of, make_order, make_paid_order, shelf

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_a_paid_order_is_packed_invoiced_and_receipted():
    order = make_paid_order()

    drain()

    order.refresh_from_db()
    assert order.state == "processing"
    assert shelf() == (9, 0)
    assert Invoice.objects.get().pdf
    assert sorted(log_of(order)) == ["invoice_issued", "paid", "placed", "processing"]
    assert [len(sent.attachments) for sent in mail.outbox].count(1) == 1
    assert len(mail.outbox) == 2


def test_a_failed_payment_puts_the_goods_back_and_tells():
    order = make_order()
    drain()
    lifecycle.mark_payment_failed(order.pk, "insufficient funds")

    drain()

    assert shelf() == (10, 0)
    assert "insufficient funds" in mail.outbox[-1].body


def test_a_cancelled_order_puts_the_goods_back_and_tells():
    order = make_order()
    lifecycle.cancel_order(order.pk, "not paid in time")

    drain()

    assert shelf() == (10, 0)
    assert "not paid in time" in mail.outbox[-1].body


def test_every_job_may_run_twice():
    order, failed, cancelled = make_order(), make_order(), make_order()
    lifecycle.mark_paid(order.pk)
    lifecycle.mark_payment_failed(failed.pk, "declined")
    lifecycle.cancel_order(cancelled.pk, "late")
    drain()
    before = (len(mail.outbox), shelf(), Invoice.objects.count(), [log_of(one) for one in Order.objects.order_by("id")])

    for one in (order, failed, cancelled):
        jobs.order_confirmation(one.pk)
        jobs.release_stock_on_failure(one.pk)
        jobs.release_stock_on_cancellation(one.pk)
    jobs.process_order(order.pk)
    jobs.generate_invoice(order.pk)
    jobs.payment_receipt(order.pk, Invoice.objects.get().pk)
    jobs.payment_failed(failed.pk)
    jobs.order_cancelled(cancelled.pk)

    after = (len(mail.outbox), shelf(), Invoice.objects.count(), [log_of(one) for one in Order.objects.order_by("id")])
    assert after == before


def test_an_order_that_is_rolled_back_leaves_no_job():
    with transaction.atomic():
        order = make_order()
        assert_enqueued(jobs.order_confirmation, order_id=order.pk)
        transaction.set_rollback(True)

    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("job", "queue", "cpu"),
    [
        (jobs.process_order, "order", False),
        (jobs.generate_invoice, "order", True),
        (jobs.release_stock_on_failure, "inventory-release", False),
        (jobs.release_stock_on_cancellation, "inventory-release", False),
        (jobs.order_confirmation, "email", False),
        (jobs.payment_receipt, "email", False),
        (jobs.payment_failed, "email", False),
        (jobs.order_cancelled, "email", False),
    ],
)
def test_the_jobs_lie_in_their_queues(job: Any, queue: str, cpu: bool):
    assert (job.queue, bool(job.cpu)) == (queue, cpu)
