"""Returns over HTTP and in the admin."""

import json
from typing import Any

import pytest
from django.test import Client

from orders.models import Order, ReturnRequest
from orders.services import review
from tests.orders.shop import api, make_delivered_order, make_product, make_user, shelf, staff

pytestmark = pytest.mark.django_db


def make_order() -> Order:
    make_product("RICE", on_hand=10)
    return make_delivered_order(("RICE", 3))


def post(order: Order, user: Any = None, key: str | None = "k1", **changes: Any) -> Any:
    body = {"lines": [{"sku": "RICE", "quantity": 2}], "reason": "too long"} | changes
    headers = {} if key is None else {"Idempotency-Key": key}
    return api(user or order.customer).post(
        f"/api/orders/{order.pk}/returns", json.dumps(body), content_type="application/json", headers=headers
    )


def approved(order: Order) -> ReturnRequest:
    wanted = ReturnRequest.objects.get(pk=post(order).json()["id"])
    review.decide(review.open_return(wanted.pk).pk, approve=True, by=staff())
    return wanted


def test_a_customer_asks_and_looks():
    order = make_order()

    asked = post(order)
    listed = api(order.customer).get(f"/api/orders/{order.pk}/returns")

    assert asked.status_code == 201
    assert listed.json() == [asked.json()]
    assert (asked.json()["state"], asked.json()["amount"]) == ("requested", "₹210.00")
    assert asked.json()["lines"][0]["sku"] == "RICE"
    assert api(order.customer).get(f"/api/orders/{order.pk}").json()["links"]["returns"].endswith("/returns")


def test_the_same_request_twice_asks_once():
    order = make_order()

    first, second = post(order), post(order)

    assert first.json() == second.json()
    assert ReturnRequest.objects.count() == 1
    assert post(order, reason="another").json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"lines": []}, 400),
        ({"lines": [{"sku": "RICE", "quantity": 0}]}, 400),
        ({"lines": [{"sku": "SAREE", "quantity": 1}]}, 400),
        ({"lines": [{"sku": "RICE", "quantity": 4}]}, 409),
        ({"reason": ""}, 400),
        ({"amount_paise": 1}, 400),
        ({"key": None}, 400),
    ],
)
def test_what_cannot_be_returned_is_refused_and_changes_nothing(changes: dict[str, Any], status: int):
    order = make_order()

    assert post(order, **changes).status_code == status

    assert not ReturnRequest.objects.exists()
    assert order.lines.get().returned == 0


def test_an_order_of_somebody_else_does_not_exist():
    order = make_order()

    assert post(order, user=make_user()).status_code == 404
    assert api(make_user()).get(f"/api/orders/{order.pk}/returns").status_code == 404


def test_staff_receives_with_permission_alone():
    wanted = approved(make_order())
    page, damaged = f"/api/returns/{wanted.pk}/receive", {"damaged": [{"sku": "RICE", "quantity": 1}]}
    tell: Any = {"data": json.dumps(damaged), "content_type": "application/json"}

    refused = [api(who).post(page, **tell).status_code for who in (wanted.order.customer, staff("view_returnrequest"))]
    answer = api(staff("receive_return")).post(page, **tell)

    assert refused == [403, 403]
    assert (answer.status_code, answer.json()["state"]) == (200, "received")
    assert shelf() == (8, 0)


def test_the_admin_receives_a_return():
    wanted, client = approved(make_order()), Client()
    client.force_login(staff("view_returnrequest", "receive_return"))
    page = f"/admin/orders/returnrequest/{wanted.pk}/"

    assert "../receive/" in client.get(f"{page}change/").content.decode()
    assert "damaged of 2" in client.get(f"{page}receive/").content.decode()
    assert client.post(f"{page}receive/", {"RICE": "3"}).status_code == 200
    assert client.post(f"{page}receive/", {"RICE": "2"}).status_code == 302

    wanted.refresh_from_db()
    assert (wanted.state, shelf()) == ("received", (7, 0))


def test_the_admin_receives_nothing_without_permission():
    wanted, client = approved(make_order()), Client()
    client.force_login(staff("view_returnrequest"))

    assert client.post(f"/admin/orders/returnrequest/{wanted.pk}/receive/", {"RICE": "0"}).status_code == 403

    wanted.refresh_from_db()
    assert wanted.state == "approved"
