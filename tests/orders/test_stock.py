from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from orders.models import Order, OrderLine, Product, Reservation, Stock
from orders.services import lifecycle, stock
from tests.orders.shop import make_order, make_paid_order, make_product, shelf

pytestmark = pytest.mark.django_db


def test_reserving_again_takes_nothing():
    order = make_order()

    stock.reserve(order)

    assert shelf() == (10, 1)


@pytest.mark.parametrize("close", [lifecycle.cancel_order, lifecycle.mark_payment_failed])
def test_release_gives_back_once(close: Any):
    make_product("DAL", on_hand=4)
    make_product("RICE", on_hand=9)
    order = make_order(("RICE", 2), ("DAL", 3))
    close(order.pk, "because")

    assert [stock.release(order.pk), stock.release(order.pk)] == [2, 0]

    assert (shelf("RICE"), shelf("DAL")) == ((9, 0), (4, 0))
    assert order.log.filter(event="stock_released").count() == 1


def test_an_open_or_paid_order_keeps_its_stock():
    open_order, paid_order = make_order(), make_paid_order()

    assert (stock.release(open_order.pk), stock.release(paid_order.pk)) == (0, 0)

    assert shelf() == (10, 2)


def test_committed_goods_do_not_come_back():
    order = make_paid_order()
    lifecycle.begin_processing(order.pk)

    stock.release(order.pk)
    with transaction.atomic():
        stock.commit(order.pk)
    stock.reserve(order)

    assert shelf() == (9, 0)


def test_deliveries_are_counted_on_top():
    product = make_product("RICE", on_hand=3)

    stock.receive(product.pk, 7)
    stock.receive(product.pk, -1)

    assert shelf() == (9, 0)


def test_reserved_goods_cannot_be_written_off():
    order = make_order(("RICE", 4)) if make_product("RICE", on_hand=5) else None
    assert order is not None

    with pytest.raises(IntegrityError, match="stock_reserved_within_on_hand"), transaction.atomic():
        stock.receive(Stock.objects.get().pk, -2)

    assert shelf() == (5, 4)


BREAKING: dict[str, tuple[Any, dict[str, Any]]] = {
    "stock_reserved_within_on_hand": (Stock, {"reserved": F("on_hand") + 1}),
    "orders_stock_reserved_check": (Stock, {"reserved": -1}),
    "order_total_not_negative": (Order, {"total_paise": -1}),
    "order_state_known": (Order, {"state": "lost"}),
    "line_quantity_positive": (OrderLine, {"quantity": 0, "total_paise": 0}),
    "line_total_is_product": (OrderLine, {"total_paise": 1}),
    "reservation_quantity_positive": (Reservation, {"quantity": 0}),
    "reservation_state_known": (Reservation, {"state": "lost"}),
    "product_price_positive": (Product, {"price_paise": 0}),
    "product_gst_rate_known": (Product, {"gst_rate": 7}),
}


@pytest.mark.parametrize("constraint", BREAKING)
def test_the_database_itself_refuses(constraint: str):
    make_order()
    model, change = BREAKING[constraint]

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        model._default_manager.update(**change)

    assert constraint in str(refusal.value) or "reserved" in str(refusal.value)
