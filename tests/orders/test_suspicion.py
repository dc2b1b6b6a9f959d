"""Suspicious patterns: counted per customer, within their time, as the settings say."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bharatmart.patterns import PATTERNS, are_patterns
from orders.models import Order, OrderLog, ReviewItem
from orders.services import lifecycle, review, suspicion
from orders.services.review import Matter
from orders.states import ReviewKind
from queues.testing import drain
from tests.orders.shop import make_order, make_product, make_user, staff

pytestmark = pytest.mark.django_db


def patterns(settings: Any, kind: str, at_least: int = 2, within: int = 3600) -> None:
    settings.SUSPICIOUS_PATTERNS = [{"pattern": kind, "at_least": at_least, "within": within}]


def decline(order: Order, *, minutes_ago: int = 0) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    OrderLog.objects.create(order=order, event="payment_failed", detail="declined", at=at)


def test_many_declines_of_one_customer_are_suspicious(settings: Any):
    patterns(settings, "declines")
    order = make_order()
    decline(make_order(customer=order.customer))

    before = suspicion.reasons_against(order)
    decline(order)

    assert before == []
    assert suspicion.reasons_against(order) == ["2 declined payments of this customer within 1 h"]


def test_declines_of_others_and_of_long_ago_do_not_count(settings: Any):
    patterns(settings, "declines", within=600)
    order, other = make_order(), make_order()
    decline(order)
    decline(order, minutes_ago=11)
    decline(other)

    assert suspicion.reasons_against(order) == []


def test_many_orders_of_one_customer_are_suspicious(settings: Any):
    patterns(settings, "orders")
    customer = make_user()
    first = make_order(customer=customer)
    before = suspicion.reasons_against(first)

    second = make_order(customer=customer)

    assert before == []
    assert suspicion.reasons_against(second) == ["2 orders of this customer within 1 h"]


def test_amounts_that_differ_are_suspicious(settings: Any):
    patterns(settings, "mismatches", at_least=1)
    order = make_order()
    late = ("the order was cancelled when the money came",)
    review.open_review(Matter(order.pk, ReviewKind.PAYMENT_DISCREPANCY, "late", late))
    before = suspicion.reasons_against(order)

    told = ("the captured amount differs",)
    review.open_review(Matter(order.pk, ReviewKind.PAYMENT_DISCREPANCY, "amount", told))

    assert before == []
    assert suspicion.reasons_against(order) == ["1 amount that differs of this customer within 1 h"]


@pytest.mark.parametrize("queues", [("order", "manual-review")])
def test_a_suspicious_order_is_reviewed_once_however_often_it_fails(settings: Any, queues: tuple[str, ...]):
    patterns(settings, "orders", at_least=1)
    make_product("RICE", on_hand=5)
    order = make_order()
    for _ in range(2):
        for queue in queues:
            drain(queue=queue)
        lifecycle.mark_payment_failed(order.pk, "declined")

    item = ReviewItem.objects.get()
    assert (item.kind, item.order, item.reasons) == (
        "suspicious",
        order,
        ["1 order of this customer within 1 h"],
    )


def test_a_harmless_order_opens_nothing(settings: Any):
    patterns(settings, "orders", at_least=2)
    make_order()

    drain(queue="order")
    drain(queue="manual-review")

    assert not ReviewItem.objects.exists()


def test_what_was_approved_is_doubted_no_more(settings: Any):
    patterns(settings, "orders", at_least=1)
    order = make_order()
    item = review.open_suspicion(order.pk, ["strange"])
    doubted = suspicion.is_doubtful(order)

    review.decide(item.pk, approve=True, by=staff())

    assert (doubted, suspicion.is_doubtful(order)) == (True, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pattern": "declines"},
        [{"pattern": "moons", "at_least": 1, "within": 1}],
        [{"pattern": "orders", "at_least": 0, "within": 1}],
        [{"pattern": "orders", "at_least": True, "within": 1}],
        [{"pattern": "orders", "at_least": 1}],
        ["orders"],
    ],
)
def test_a_pattern_that_means_nothing_is_refused_with_a_sentence(wrong: Any):
    with pytest.raises(Exception, match="expected"):
        are_patterns(wrong)


def test_the_patterns_of_the_shop_are_patterns():
    are_patterns(PATTERNS)
    are_patterns([])
