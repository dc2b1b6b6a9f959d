from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from orders.models import IdempotencyKey, Order, Stock
from orders.services import lifecycle, stock
from queues.models import Job
from tests.orders.shop import api, at_once, body, make_order, make_product, make_user, post_order, shelf
from tests.payments.rivals import somebody_waits
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_throttle(settings: Any) -> None:
    settings.API_LIMITS = {}


def test_the_last_unit_is_sold_once():
    make_product("SAREE", on_hand=1)
    buyers = [make_user() for _ in range(20)]

    answers = at_once([lambda buyer=buyer: post_order(api(buyer), body(("SAREE", 1))) for buyer in buyers])

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    refusals = [answer.json() for answer in answers if answer.status_code == 409]
    assert all(refusal["code"] == "out_of_stock" for refusal in refusals)
    assert all(refusal["fields"] == {"SAREE": "Sold out."} for refusal in refusals)
    assert shelf("SAREE") == (1, 1)
    assert (Order.objects.count(), IdempotencyKey.objects.count()) == (1, 1)
    assert set(Job.objects.values_list("subject", flat=True)) == {f"order-{Order.objects.get().pk}"}


def test_the_lock_alone_sells_the_last_unit_once(monkeypatch: pytest.MonkeyPatch):
    """Without the early look at the shelf every buyer gets as far as the stock's rows."""
    make_product("SAREE", on_hand=3)
    buyers = [make_user() for _ in range(20)]
    monkeypatch.setattr("orders.models.Product.free", 10)

    answers = at_once([lambda buyer=buyer: post_order(api(buyer), body(("SAREE", 1))) for buyer in buyers])

    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 17}
    assert shelf("SAREE") == (3, 3)
    assert Order.objects.count() == 3


def test_fifty_requests_with_one_key_place_one_order():
    make_product("RICE", on_hand=100)
    customer = make_user()

    answers = at_once([lambda: post_order(api(customer), body(("RICE", 2)), "one-key")] * 50, threads=25)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    order = Order.objects.get()
    assert answers[0].json()["id"] == order.pk
    assert answers[0].headers["Location"] == f"/api/orders/{order.pk}"
    assert shelf() == (100, 2)


def test_requests_with_one_key_behind_a_refused_one_get_their_own_turn():
    """A refusal rolls the key back, so each of the waiting requests tries again and is refused itself."""
    make_product("SAREE", on_hand=0)
    customer = make_user()

    answers = at_once([lambda: post_order(api(customer), body(("SAREE", 1)), "one-key")] * 10, threads=10)

    assert {answer.status_code for answer in answers} == {409}
    assert not IdempotencyKey.objects.exists()


def test_baskets_in_opposite_order_do_not_deadlock():
    for sku in ("A", "B", "C", "D"):
        make_product(sku, on_hand=1000)
    basket = [(sku, 1) for sku in ("A", "B", "C", "D")]
    customers = [make_user() for _ in range(40)]

    answers = at_once(
        [
            lambda number=number, customer=customer: post_order(api(customer), body(*basket[:: (-1) ** number]))
            for number, customer in enumerate(customers)
        ]
    )

    assert {answer.status_code for answer in answers} == {201}
    assert [shelf(sku) for sku in "ABCD"] == [(1000, 40)] * 4


def test_rows_of_the_stock_are_locked_in_one_order():
    """Whoever waits for the first of two rows holds no lock on the second, in whatever order a basket names them."""
    first, second = (make_product(sku, on_hand=9) for sku in ("A", "B"))
    Stock.objects.filter(pk=first.pk).update(on_hand=10)  # its row lies behind the other's now
    buyer = api(make_user())

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Stock.objects.select_for_update(no_key=True).get(pk=first.pk)
            answer = pool.submit(at_once, [lambda: post_order(buyer, body(("B", 1), ("A", 1)))])
            wait_for(somebody_waits)
            free = Stock.objects.select_for_update(skip_locked=True).filter(pk=second.pk).exists()
        assert answer.result()[0].status_code == 201

    assert free


def test_stock_given_back_while_a_buyer_waits_for_it_is_sold(monkeypatch: pytest.MonkeyPatch):
    """The statement waits for the row and then decides by what it says, not by what it said at the start."""
    make_product("SAREE", on_hand=1)
    first = make_order(("SAREE", 1))
    lifecycle.cancel_order(first.pk, "changed my mind")
    buyer = api(make_user())
    monkeypatch.setattr("orders.models.Product.free", 1)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert stock.release(first.pk) == 1
            answer = pool.submit(at_once, [lambda: post_order(buyer, body(("SAREE", 1)))])
            wait_for(somebody_waits)
        assert answer.result()[0].status_code == 201

    assert shelf("SAREE") == (1, 1)


def test_one_release_of_many_gives_the_stock_back_once():
    make_product("SAREE", on_hand=5)
    order = make_order(("SAREE", 2))
    lifecycle.cancel_order(order.pk, "changed my mind")

    released = at_once([lambda: stock.release(order.pk)] * 8, threads=8)

    assert sorted(released) == [0] * 7 + [1]
    assert shelf("SAREE") == (5, 0)


def test_paid_and_cancelled_at_once_ends_in_one_of_them():
    make_product("SAREE", on_hand=50)
    for _ in range(5):
        order = make_order(("SAREE", 1))

        moved = at_once(
            [lambda pk=order.pk: lifecycle.mark_paid(pk), lambda pk=order.pk: lifecycle.cancel_order(pk, "late")] * 2,
            threads=4,
        )

        order.refresh_from_db()
        assert sum(moved) == 1
        assert (order.paid_at is None, order.cancelled_at is None) in {(True, False), (False, True)}
    assert Stock.objects.get().reserved == 5


def test_order_that_postgresql_gave_up_for_another_transaction_is_placed_by_the_next_try(
    monkeypatch: pytest.MonkeyPatch,
):
    # given a deadlock in the first try: PostgreSQL rolls the whole transaction back
    make_product("SAREE", on_hand=1)
    reserve, tries = stock.reserve, list[int]()

    def deadlock_first(order: Order) -> None:
        tries.append(1)
        reserve(order)
        if len(tries) == 1:
            with connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$")

    monkeypatch.setattr(stock, "reserve", deadlock_first)

    answer = post_order(api(make_user()), body(("SAREE", 1)))

    assert (answer.status_code, len(tries)) == (201, 2)
    assert Order.objects.count() == IdempotencyKey.objects.count() == 1
    assert shelf("SAREE") == (1, 1)
