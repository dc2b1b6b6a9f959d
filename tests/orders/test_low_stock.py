from typing import Any

import pytest
from django.core import mail

from notifications.models import Notification
from orders import jobs
from orders.models import Stock
from orders.services import inventory, stock
from queues.testing import drain
from tests.orders.shop import at_once, make_order, make_product, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def packer() -> Any:
    return make_user(email="packer@example.in", is_staff=True)


def sell_down(sku: str = "RICE") -> None:
    """From 10 to the threshold."""
    make_order((sku, 5))
    mail.outbox.clear()


def test_staff_is_told_once_per_crossing():
    make_product("RICE", on_hand=10)
    make_product("DAL", on_hand=10)
    assert inventory.tell_low_stock() == []
    sell_down()

    assert [inventory.tell_low_stock() for _ in range(3)] == [["RICE"], [], []]
    drain(queue="email")

    (sent,) = [m for m in mail.outbox if m.to == ["packer@example.in"]]
    assert sent.subject == "Running low: 1 product"
    assert "RICE Rice of Bharat: 5 left to order" in sent.body
    assert "DAL" not in sent.body


def test_after_a_delivery_it_is_told_again():
    product = make_product("RICE", on_hand=10)
    sell_down()
    inventory.tell_low_stock()
    stock.receive(product.pk, 20)
    assert inventory.tell_low_stock() == []
    assert Stock.objects.get().low_since is None
    stock.receive(product.pk, -20)

    assert inventory.tell_low_stock() == ["RICE"]

    assert Notification.objects.filter(kind="low_stock").count() == 2


def test_every_product_has_its_own_threshold_and_what_is_not_for_sale_none():
    make_product("A", on_hand=10, low_stock_at=9)
    make_product("B", on_hand=10, low_stock_at=10)
    make_product("C", on_hand=0, is_active=False)

    assert inventory.tell_low_stock() == ["B"]


def test_those_named_are_told_instead_of_all_staff(settings: Any):
    settings.REPORT_RECIPIENTS = ["buyer@example.in"]
    make_product("RICE", on_hand=0)

    inventory.tell_low_stock()

    assert [n.to for n in Notification.objects.all()] == ["buyer@example.in"]


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_tell_once():
    make_product("RICE", on_hand=0)

    told = at_once([inventory.tell_low_stock] * 4, threads=4)

    assert sorted(told) == [[], [], [], ["RICE"]]
    assert Notification.objects.filter(kind="low_stock").count() == 1


def test_it_recurs():
    assert (jobs.low_stock_notice.queue, jobs.low_stock_notice.every) == ("order", 300)
    assert (jobs.sweep_reservations.queue, jobs.stock_sync.queue) == ("inventory-release", "reports")
    assert jobs.stock_sync.every == 3600
