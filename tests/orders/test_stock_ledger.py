"""The ledger of stock: every change is a movement, and the movements add up to the stock."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.db.models import F
from django.test import Client

from orders import selectors
from orders.models import Stock, StockMovement
from orders.services import inventory, lifecycle, stock
from tests.orders.shop import at_once, make_order, make_paid_order, make_product, make_user, shelf

pytestmark = pytest.mark.django_db


def movements(sku: str = "RICE") -> list[tuple[str, int, int, int | None]]:
    rows = StockMovement.objects.filter(product__sku=sku).order_by("pk")
    return list(rows.values_list("reason", "on_hand", "reserved", "order"))


def test_the_way_of_an_order_is_in_the_ledger():
    make_product("RICE", on_hand=9)
    given_up = make_order(("RICE", 2))
    lifecycle.cancel_order(given_up.pk, "late")
    stock.release(given_up.pk)

    bought = make_paid_order(("RICE", 3))
    lifecycle.begin_processing(bought.pk)
    stock.receive(Stock.objects.get().pk, 5)

    assert movements() == [
        ("opening", 9, 0, None),
        ("reserved", 0, 2, given_up.pk),
        ("released", 0, -2, given_up.pk),
        ("reserved", 0, 3, bought.pk),
        ("committed", -3, -3, bought.pk),
        ("received", 5, 0, None),
    ]
    assert shelf() == (11, 0)
    assert not selectors.stock_off_the_ledger().exists()


def test_what_is_repeated_or_refused_is_not_written_again():
    make_product("RICE", on_hand=3)
    order = make_order(("RICE", 3))
    stock.reserve(order)
    stock.release(order.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        stock.receive(Stock.objects.get().pk, -1)

    assert [reason for reason, *_ in movements()] == ["opening", "reserved"]


@pytest.mark.parametrize("change", ["update", "delete"])
def test_history_cannot_be_changed(change: str):
    make_product("RICE")

    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        StockMovement.objects.update(on_hand=1) if change == "update" else StockMovement.objects.all().delete()

    assert movements() == [("opening", 10, 0, None)]


@pytest.mark.django_db(transaction=True)
def test_under_a_crowd_the_sums_stay_right():
    make_product("A", on_hand=30)
    make_product("B", on_hand=30)

    def buy_and_regret(number: int) -> None:
        order = make_order(("A", 1), ("B", 2))
        if number % 2:
            lifecycle.cancel_order(order.pk, "regret")
            stock.release(order.pk)
        else:
            lifecycle.mark_paid(order.pk)
            lifecycle.begin_processing(order.pk)

    at_once([lambda number=number: buy_and_regret(number) for number in range(12)], threads=6)

    assert (shelf("A"), shelf("B")) == ((24, 0), (18, 0))
    assert not selectors.stock_off_the_ledger().exists()


def test_a_shelf_changed_by_hand_is_found(caplog: pytest.LogCaptureFixture):
    make_product("DAL")
    make_product("RICE")
    Stock.objects.filter(product__sku="RICE").update(reserved=1)

    with caplog.at_level(logging.ERROR):
        assert inventory.check_ledger() == ["RICE"]

    assert "the stock of RICE is not the sum of its movements" in caplog.text


def test_the_admin_shows_whether_the_ledger_agrees():
    make_product("DAL")
    make_product("RICE")
    Stock.objects.filter(product__sku="RICE").update(on_hand=7)
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))

    pages = [client.get(f"/admin/orders/stock/{pk}/change/").content.decode() for pk in _pks("DAL", "RICE")]
    answer = client.post(
        "/admin/orders/stock/", {"action": "compare_with_ledger", "_selected_action": _pks("DAL", "RICE")}, follow=True
    ).content.decode()

    assert "they add up to this" in pages[0]
    told = "the movements say 10 on the shelf and 0 reserved, not 7 and 0"
    assert told in pages[1]
    assert f"RICE: {told}" in answer
    assert "DAL: " not in answer


def _pks(*skus: str) -> list[Any]:
    return [Stock.objects.get(product__sku=sku).pk for sku in skus]


def forget_release(order: Any, minutes: int) -> None:
    """Its job is lost, and so much time has gone."""
    order.log.update(at=F("at") - timedelta(minutes=minutes))


def test_the_sweep_finds_nothing_when_the_jobs_did_their_work():
    released = make_order()
    make_order(), make_paid_order()
    lifecycle.cancel_order(released.pk, "late")
    stock.release(released.pk)
    forget_release(released, 60)

    assert inventory.sweep_reservations() == 0

    assert shelf() == (10, 2)


@pytest.mark.parametrize("close", [lifecycle.cancel_order, lifecycle.mark_payment_failed])
def test_the_sweep_gives_back_what_a_lost_job_left(close: Any, caplog: pytest.LogCaptureFixture):
    order = make_order()
    close(order.pk, "late")
    forget_release(order, 16)

    assert [inventory.sweep_reservations(), inventory.sweep_reservations()] == [1, 0]

    assert shelf() == (10, 0)
    assert f"order {order.pk} still held stock" in caplog.text


def test_the_sweep_leaves_the_job_its_time():
    order = make_order()
    forget_release(order, 60)
    lifecycle.cancel_order(order.pk, "late")

    assert inventory.sweep_reservations() == 0

    assert shelf() == (10, 1)
