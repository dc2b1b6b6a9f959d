"""Returns: never more than was bought, answered by a review, received once, restocked if whole."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from orders import jobs
from orders.errors import (
    DamageExceedsReturn,
    NotInOrder,
    NotReturnable,
    ReturnExceedsOrder,
    ReturnNotExpected,
    ReturnWindowOver,
)
from orders.models import Order, OrderLine, OrderLog, ReturnRequest, ReviewItem, StockMovement
from orders.selectors import stock_off_the_ledger
from orders.services import return_money, returns, review
from queues.models import Job
from queues.testing import assert_enqueued, drain
from tests.orders.shop import at_once, log_of, make_delivered_order, make_packed_order, make_product, shelf, staff

pytestmark = pytest.mark.django_db


def make_order(rice: int = 3) -> Order:
    make_product("RICE", on_hand=10)
    return make_delivered_order(("RICE", rice))


def ask(order: Order, quantity: int = 1, sku: str = "RICE") -> ReturnRequest:
    return returns.request_return(order.pk, [(sku, quantity)], "too long")


def answered(wanted: ReturnRequest, approve: bool = True) -> ReturnRequest:
    item = review.open_return(wanted.pk)
    review.decide(item.pk, approve=approve, by=staff())
    wanted.refresh_from_db()
    return wanted


def returned(order: Order) -> int:
    return OrderLine.objects.get(order=order).returned


def test_a_return_is_asked_for_and_reviewed():
    order = make_order()

    wanted = ask(order, 2)
    drain(queue="manual-review")

    assert (wanted.state, wanted.amount_paise, returned(order)) == ("requested", 21_000, 2)
    item = ReviewItem.objects.get()
    assert (item.kind, item.return_request, item.deadline_at) == ("return_request", wanted, None)
    assert "too long" in item.why
    assert "return_requested" in log_of(order)


def test_no_more_is_returned_than_was_bought():
    order = make_order(rice=3)
    ask(order, 2)

    with pytest.raises(ReturnExceedsOrder, match="Only 1 left to return"):
        ask(order, 2)

    assert ReturnRequest.objects.count() == 1
    assert returned(order) == 2
    assert ask(order, 1).state == "requested"


def test_a_product_named_twice_counts_together():
    order = make_order(rice=3)

    with pytest.raises(ReturnExceedsOrder):
        returns.request_return(order.pk, [("RICE", 2), ("RICE", 2)], "x")

    assert returned(order) == 0


@pytest.mark.django_db(transaction=True)
def test_asked_for_at_once_no_more_is_returned_than_was_bought():
    order = make_order(rice=3)

    def attempt() -> bool:
        try:
            ask(order)
        except ReturnExceedsOrder:
            return False
        return True

    got = at_once([attempt] * 6, threads=6)

    assert got.count(True) == 3
    assert (returned(order), ReturnRequest.objects.count()) == (3, 3)


def test_only_a_delivered_order_is_returned():
    make_product("RICE")
    order = make_packed_order(("RICE", 1))

    with pytest.raises(NotReturnable):
        ask(order)

    assert not ReturnRequest.objects.exists()


@pytest.mark.parametrize(("days", "late"), [(29, False), (31, True)])
def test_goods_are_returned_within_the_window(settings: Any, days: int, late: bool):
    settings.RETURN_WINDOW = timedelta(days=30)
    order = make_order()
    OrderLog.objects.filter(event="delivered").update(at=timezone.now() - timedelta(days=days))

    if late:
        with pytest.raises(ReturnWindowOver):
            ask(order)
    else:
        ask(order)

    assert ReturnRequest.objects.exists() is not late


def test_what_is_not_in_the_order_is_not_returned():
    with pytest.raises(NotInOrder):
        ask(make_order(), sku="SAREE")


def test_a_rejected_return_may_be_asked_for_again():
    order = make_order(rice=1)

    wanted = answered(ask(order), approve=False)

    assert (wanted.state, returned(order)) == ("rejected", 0)
    assert ask(order).state == "requested"
    with pytest.raises(ReturnNotExpected):
        returns.receive(wanted.pk, {}, "anna")


@pytest.mark.parametrize(("approve", "subject"), [(True, "You may send goods"), (False, "Your return")])
def test_the_customer_is_told_once(approve: bool, subject: str):
    wanted = answered(ask(make_order()), approve=approve)
    assert_enqueued(jobs.return_answered, return_id=wanted.pk)

    for _ in range(2):
        jobs.return_answered(wanted.pk)

    (sent,) = mail.outbox
    assert sent.subject.startswith(subject)
    assert "Rice of Bharat" in sent.body


def test_received_goods_go_back_on_the_shelf_except_damaged_ones():
    wanted = answered(ask(make_order(rice=3), 3))
    before = shelf()

    returns.receive(wanted.pk, {"RICE": 1}, "anna")

    movement = StockMovement.objects.get(reason="returned")
    assert (before, shelf()) == ((7, 0), (9, 0))
    assert (movement.on_hand, movement.order) == (2, wanted.order)
    assert wanted.lines.get().damaged == 1
    assert not stock_off_the_ledger().exists()
    received = Job.objects.get(name="payments.refund_return")
    assert received.args == {"return_id": wanted.pk}


def test_goods_that_are_all_damaged_move_no_stock():
    wanted = answered(ask(make_order(), 2))

    returns.receive(wanted.pk, {"RICE": 2}, "anna")

    assert not StockMovement.objects.filter(reason="returned").exists()


def test_goods_received_twice_are_put_back_once():
    wanted = answered(ask(make_order(rice=1)))

    for _ in range(2):
        returns.receive(wanted.pk, {}, "anna")

    assert shelf() == (10, 0)
    assert Job.objects.filter(name="payments.refund_return").count() == 1


@pytest.mark.django_db(transaction=True)
def test_goods_received_at_once_by_many_are_put_back_once():
    wanted = answered(ask(make_order(rice=1)))

    at_once([lambda: returns.receive(wanted.pk, {}, "anna")] * 4, threads=4)

    assert shelf() == (10, 0)
    assert Job.objects.filter(name="payments.refund_return").count() == 1


@pytest.mark.parametrize(("damaged", "error"), [({"RICE": 2}, DamageExceedsReturn), ({"SAREE": 1}, NotInOrder)])
def test_impossible_damage_is_refused_and_changes_nothing(damaged: dict[str, int], error: type[Exception]):
    wanted = answered(ask(make_order(), 1))

    with pytest.raises(error):
        returns.receive(wanted.pk, damaged, "anna")

    wanted.refresh_from_db()
    assert wanted.state == "approved"
    assert not StockMovement.objects.filter(reason="returned").exists()


def test_a_return_is_refunded_by_its_own_refund_alone():
    wanted = answered(ask(make_order()))
    returns.receive(wanted.pk, {}, "anna")
    assert return_money.note_refund(wanted.pk, 7)
    assert not return_money.note_refund(wanted.pk, 8)

    marked = [return_money.mark_refunded(number) for number in (8, 7, 7)]

    wanted.refresh_from_db()
    assert (marked, wanted.state) == ([False, True, False], "refunded")
