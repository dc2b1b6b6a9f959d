from typing import Any

import pytest
import requests

from notifications.models import Notification
from orders import jobs, selectors
from orders.models import Stock, StockMovement
from orders.remote.warehouse import WarehouseError
from orders.services import stock, warehouse
from tests.orders.shop import make_order, make_product, make_user, shelf
from tests.web import Web

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def connected(web: Web, settings: Any) -> None:
    settings.WAREHOUSE_URL, settings.WAREHOUSE_TOKEN = f"{web.url}/v1/", "let-me-in"
    make_user(email="packer@example.in", is_staff=True)


def counted(web: Web, **pieces: Any) -> None:
    web.answer(200, body={"stock": [{"sku": sku, "on_hand": on_hand} for sku, on_hand in pieces.items()]})


def test_differences_become_movements(web: Web):
    for sku in ("MORE", "LESS", "SAME"):
        make_product(sku, on_hand=10)
    counted(web, MORE=13, LESS=4, SAME=10, OTHER=1)

    assert warehouse.sync_stock() == {"changed": 2, "same": 1, "unknown": 1}

    assert [shelf(sku) for sku in ("MORE", "LESS", "SAME")] == [(13, 0), (4, 0), (10, 0)]
    moved = StockMovement.objects.filter(reason="warehouse").order_by("pk").values_list("product__sku", "on_hand")
    assert list(moved) == [("MORE", 3), ("LESS", -6)]
    assert not selectors.stock_off_the_ledger().exists()
    (asked,) = web.asked
    assert (asked.method, asked.path, asked.headers["authorization"]) == ("GET", "/v1/stock", "Bearer let-me-in")


def test_a_second_run_changes_nothing(web: Web):
    make_product("RICE", on_hand=10)
    counted(web, RICE=7)

    assert [warehouse.sync_stock(), warehouse.sync_stock()] == [{"changed": 1}, {"same": 1}]


def test_no_reserved_piece_is_taken_away_but_staff_is_told_once_a_day(web: Web):
    make_product("RICE", on_hand=10)
    make_order(("RICE", 6))
    counted(web, RICE=5)

    assert [warehouse.sync_stock(), warehouse.sync_stock()] == [{"short": 1}, {"short": 1}]

    assert shelf() == (10, 6)
    told = Notification.objects.get(kind="stock_shortfall")
    assert told.to == "packer@example.in"
    assert (told.context["counted"], told.context["reserved"]) == (5, 6)
    assert not StockMovement.objects.filter(reason="warehouse").exists()


def test_what_changes_while_it_counts_is_left_to_the_next_run(web: Web, monkeypatch: pytest.MonkeyPatch):
    make_product("RICE", on_hand=10)
    count = warehouse.count_stock
    counted(web, RICE=12)

    def goods_arrive_meanwhile() -> dict[str, int]:
        stock.receive(Stock.objects.get().pk, 5)
        return count()

    monkeypatch.setattr(warehouse, "count_stock", goods_arrive_meanwhile)

    assert warehouse.sync_stock() == {"busy": 1}
    assert shelf() == (15, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b'{"stock": [{"sku": "RICE", "on_hand": 1.5}]}',
        b'{"stock": [{"sku": "RICE", "on_hand": -1}]}',
        b'{"stock": [{"sku": "RICE", "on_hand": 9}, {"sku": "DAL"}]}',
        b'{"stock": null}',
        b"[]",
    ],
)
def test_an_answer_that_is_no_count_changes_nothing(web: Web, body: bytes):
    make_product("RICE", on_hand=10)
    web.answer(200, body=body)

    with pytest.raises(WarehouseError):
        warehouse.sync_stock()

    assert shelf() == (10, 0)


@pytest.mark.parametrize("status", [302, 401, 500])
def test_only_a_200_is_believed(web: Web, status: int):
    make_product("RICE", on_hand=10)
    web.answer(status, body={"stock": [{"sku": "RICE", "on_hand": 1}]}, headers={"Location": f"{web.url}/elsewhere"})

    with pytest.raises(WarehouseError, match=str(status)):
        warehouse.sync_stock()

    assert (shelf(), len(web.asked)) == ((10, 0), 1)


def test_a_warehouse_that_is_away_is_asked_again_later(web: Web):
    web.answer(None)

    with pytest.raises(requests.RequestException):
        warehouse.sync_stock()


def test_without_a_warehouse_nobody_is_asked(web: Web, settings: Any):
    settings.WAREHOUSE_URL = ""

    assert jobs.stock_sync() == {}

    assert not web.asked
