"""A small shop for the tests: people, products and orders."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission
from django.db import connection
from rest_framework.test import APIClient

from bharatmart.accounts.models import User
from orders.models import Order, Product, Stock
from orders.services import lifecycle, placement, shipping, stock
from orders.services.shipping import Parcel

SHIPPING = {
    "name": "Priya Sharma",
    "line": "14 Lotus Lane, Indiranagar",
    "city": "Bengaluru",
    "state": "Karnataka",
    "pincode": "560038",
    "phone": "9876543210",
}
_numbers = count(1)


def make_user(**fields: Any) -> User:
    return User.objects.create_user(**{"email": f"shopper{next(_numbers)}@example.in"} | fields)


def make_product(sku: str = "RICE", *, on_hand: int = 10, **fields: Any) -> Product:
    defaults = {
        "name": f"{sku.title()} of Bharat",
        "slug": sku.lower(),
        "category": "Grocery",
        "unit": "1 kg",
        "price_paise": 10_500,
        "gst_rate": 5,
        "hsn": "100630",
    }
    product = Product.objects.create(sku=sku, **defaults | fields)
    stock.open_shelves({product.pk: on_hand})
    return product


def make_order(*lines: tuple[str, int], customer: User | None = None, **fields: Any) -> Order:
    """A placed order; of one RICE, which is made when it does not exist, unless lines are given."""
    if not lines and not Product.objects.filter(sku="RICE").exists():
        make_product("RICE")
    shipping = SHIPPING | fields.pop("shipping", {})
    customer = customer or make_user()
    return placement.place_order(customer=customer, lines=lines or [("RICE", 1)], shipping=shipping, **fields)


def make_paid_order(*lines: tuple[str, int], **fields: Any) -> Order:
    order = make_order(*lines, **fields)
    assert lifecycle.mark_paid(order.pk)
    order.refresh_from_db()
    return order


def make_packed_order(*lines: tuple[str, int], **fields: Any) -> Order:
    """A paid order whose goods were taken off the shelf: ready to be shipped."""
    order = make_paid_order(*lines, **fields)
    lifecycle.begin_processing(order.pk)
    order.refresh_from_db()
    return order


def make_shipped_order(tracking_number: str = "BD-1001", **fields: Any) -> Order:
    order = make_packed_order(**fields)
    shipping.ship(order.pk, Parcel("BlueDart", tracking_number))
    order.refresh_from_db()
    return order


def make_delivered_order(*lines: tuple[str, int], tracking_number: str = "BD-1001", **fields: Any) -> Order:
    order = make_packed_order(*lines, **fields)
    shipping.ship(order.pk, Parcel("BlueDart", tracking_number))
    shipping.deliver(order.pk)
    order.refresh_from_db()
    return order


def staff(*permissions: str, **fields: Any) -> User:
    """A member of staff who has these permissions alone."""
    user = make_user(is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def shelf(sku: str = "RICE") -> tuple[int, int]:
    """What lies there and how much of it is reserved."""
    stock = Stock.objects.get(product__sku=sku)
    return stock.on_hand, stock.reserved


def log_of(order: Order) -> list[str]:
    return list(order.log.values_list("event", flat=True))


def api(user: User | None = None) -> APIClient:
    client = APIClient()
    if user:
        client.force_authenticate(user)
    return client


def body(*lines: tuple[str, Any], **fields: Any) -> dict[str, Any]:
    """The JSON of an order request."""
    wanted = [{"sku": sku, "quantity": quantity} for sku, quantity in lines or [("RICE", 1)]]
    return {"lines": wanted, "shipping": SHIPPING} | fields


def post_order(client: APIClient, payload: Any, key: str | None = "key-1") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/api/orders", json.dumps(payload), content_type="application/json", headers=headers)


def content_of(answer: Any) -> bytes:
    """The file of a download; reading it to its end closes it."""
    return b"".join(answer.streaming_content)


def at_once(calls: list[Callable[[], Any]], threads: int = 20) -> list[Any]:
    """Run the calls in threads, each with its own connection to the database; their results in order."""

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]
