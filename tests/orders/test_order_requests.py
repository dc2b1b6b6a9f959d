import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from orders.models import IdempotencyKey, Order
from queues.models import Job
from tests.orders.shop import SHIPPING, api, body, make_product, make_user, post_order, shelf

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Any:
    make_product("RICE", on_hand=500, price_paise=64_900)
    return api(make_user(email="priya@example.in"))


def assert_refused(answer: Any, status: int, code: str, fields: dict[str, Any]) -> None:
    """Refused with exactly these fields, and nothing changed."""
    told = answer.json()
    assert (answer.status_code, told["code"], told["fields"]) == (status, code, fields)
    assert told["message"]
    assert not Order.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert not Job.objects.exists()
    assert shelf() == (500, 0)


def test_an_order_is_answered_with_its_lines_totals_and_links(client: Any):
    answer = post_order(client, body(("RICE", 2), payment_token="tok_success"))

    order = Order.objects.get()
    own = f"/api/orders/{order.pk}"
    assert answer.status_code == 201
    assert answer.headers["Location"] == own
    told = answer.json()
    assert told.pop("placed_at").endswith("+05:30")
    assert told == {
        "id": order.pk,
        "state": "pending",
        "currency": "INR",
        "total_paise": 129_800,
        "total": "₹1,298.00",
        "paid_at": None,
        "cancelled_at": None,
        "shipping": SHIPPING,
        "lines": [
            {
                "sku": "RICE",
                "name": "Rice of Bharat",
                "hsn": "100630",
                "gst_rate": 5,
                "quantity": 2,
                "unit_price_paise": 64_900,
                "unit_price": "₹649.00",
                "total_paise": 129_800,
                "total": "₹1,298.00",
            }
        ],
        "links": {"self": own, "pay": f"{own}/pay", "cancel": f"{own}/cancel", "payments": f"{own}/payments"},
    }
    assert (order.payment_token, order.email) == ("tok_success", "priya@example.in")


WHOLE = ["Expected a whole number from 1 to 100."]


@pytest.mark.parametrize("quantity", [0, -1, 101, 10**30, 1.0, 1.5, "1", "one", True, False, None, [], {}])
def test_a_quantity_is_a_whole_number_from_1_to_100(client: Any, quantity: Any):
    answer = post_order(client, body(("RICE", quantity)))

    message = ["This field may not be null."] if quantity is None else WHOLE
    assert_refused(answer, 400, "invalid", {"lines.0.quantity": message})


@pytest.mark.parametrize("number", ["1e400", "NaN", "Infinity", "-Infinity", "9" * 5000])
def test_numbers_that_json_does_not_know_are_refused(client: Any, number: str):
    raw = json.dumps(body()).replace('"quantity": 1', f'"quantity": {number}')

    answer = client.post(
        "/api/orders", raw.encode(), content_type="application/json", headers={"Idempotency-Key": "key"}
    )

    assert answer.status_code == 400
    assert not Order.objects.exists()


def test_an_unknown_product_is_named(client: Any):
    answer = post_order(client, body(("RICE", 1), ("GOLD", 1)))

    assert_refused(answer, 400, "unknown_product", {"GOLD": "Not for sale here."})


def test_too_much_is_named(client: Any):
    make_product("SAREE", on_hand=3)

    answer = post_order(client, body(("RICE", 1), ("SAREE", 4)))

    assert_refused(answer, 409, "out_of_stock", {"SAREE": "Only 3 left."})


def test_a_product_named_twice_is_refused(client: Any):
    answer = post_order(client, body(("RICE", 1), ("RICE", 1)))

    assert_refused(answer, 400, "invalid", {"lines": ["RICE is named twice; give it one line."]})


def with_price_in_line(payload: dict[str, Any]) -> None:
    payload["lines"][0]["price_paise"] = 1


UNKNOWN: dict[str, Callable[[dict[str, Any]], None]] = {
    "lines.0.price_paise": with_price_in_line,
    "total_paise": lambda payload: payload.update(total_paise=1),
    "state": lambda payload: payload.update(state="paid"),
    "shipping.country": lambda payload: payload["shipping"].update(country="IN"),
}


@pytest.mark.parametrize("field", UNKNOWN)
def test_prices_and_unknown_fields_are_refused_by_name(client: Any, field: str):
    payload = json.loads(json.dumps(body()))
    UNKNOWN[field](payload)

    answer = post_order(client, payload)

    told = answer.json()["fields"]
    assert list(told) == [field]
    assert told[field][0].startswith("Unknown field; expected ")
    assert_refused(answer, 400, "invalid", told)


REQUIRED = ["This field is required."]
INVALID_SHIPPING = {
    "pincode": ["56003", "5600381", "05600", "056003", "56003a", "५६००३८", "560038\n1", 560038.5],
    "phone": ["12345", "5876543210", "98765432100", "+1 9876543210", "९८७६५४३२१०"],
    "state": ["Bavaria", "karnataka", "", 5],
    "name": ["", "   ", "x" * 121, "\0", None, []],
    "line": ["", "x" * 251],
    "city": ["", "x" * 81],
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in INVALID_SHIPPING.items() for v in values])
def test_an_address_that_nobody_finds_is_refused(client: Any, field: str, value: Any):
    answer = post_order(client, body(shipping=SHIPPING | {field: value}))

    told = answer.json()["fields"]
    assert list(told) == [f"shipping.{field}"]
    assert_refused(answer, 400, "invalid", told)


@pytest.mark.parametrize("field", SHIPPING)
def test_every_part_of_the_address_is_required(client: Any, field: str):
    shipping = {name: value for name, value in SHIPPING.items() if name != field}

    assert_refused(post_order(client, body(shipping=shipping)), 400, "invalid", {f"shipping.{field}": REQUIRED})


@pytest.mark.parametrize("phone", ["9876543210", "+919876543210", "+91 9876543210", "+91-9876543210"])
def test_indian_mobile_numbers_are_taken(client: Any, phone: str):
    assert post_order(client, body(shipping=SHIPPING | {"phone": phone})).status_code == 201


def test_an_order_has_1_to_50_lines(client: Any):
    none = post_order(client, {"lines": [], "shipping": SHIPPING})
    many = post_order(client, body(*[(f"P{number}", 1) for number in range(51)]))

    assert_refused(none, 400, "invalid", none.json()["fields"])
    assert_refused(many, 400, "invalid", many.json()["fields"])
    assert [list(answer.json()["fields"]) for answer in (none, many)] == [["lines"], ["lines"]]


@pytest.mark.parametrize("payload", [{}, {"lines": "RICE", "shipping": "home"}, [], "order", 5, None, {"lines": [5]}])
def test_anything_but_an_order_is_refused(client: Any, payload: Any):
    answer = post_order(client, payload)

    assert answer.status_code == 400
    assert_refused(answer, 400, answer.json()["code"], answer.json()["fields"])


@pytest.mark.parametrize("raw", [b'{"lines": [', b"", b"\xff\xfe", b"sku=RICE", b"[" * 20_000, b'{"lines": "\\ud800"}'])
def test_malformed_json_is_refused(client: Any, raw: bytes):
    answer = client.post("/api/orders", raw, content_type="application/json", headers={"Idempotency-Key": "key"})

    assert answer.status_code == 400
    assert_refused(answer, 400, answer.json()["code"], answer.json()["fields"])


def test_a_stranger_cannot_order():
    make_product("RICE", on_hand=500)

    assert_refused(post_order(api(), body()), 401, "not_authenticated", {})


def test_the_request_opens_no_connection_but_to_postgresql(client: Any, monkeypatch: pytest.MonkeyPatch):
    """libpq connects by itself; everything else of ours goes through Python's sockets."""

    def refuse(self: socket.socket, address: object) -> None:
        raise AssertionError(f"the request connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)

    assert post_order(client, body(payment_token="tok_success")).status_code == 201
    assert client.get(f"/api/orders/{Order.objects.get().pk}").status_code == 200
