from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.exceptions import ValidationError

from orders.errors import OutOfStock, UnknownProduct
from orders.models import IdempotencyKey, Order, OrderLine, OrderLog, Product, Reservation, Stock
from orders.services import placement, stock
from orders.states import OrderState
from queues.models import Job
from tests.orders.shop import SHIPPING, api, body, log_of, make_order, make_product, make_user, post_order, shelf

pytestmark = pytest.mark.django_db

STATEMENTS = 8


def nothing_was_written() -> bool:
    tables = (Order, OrderLine, OrderLog, Reservation, IdempotencyKey, Job)
    return not any(table.objects.exists() for table in tables)


def test_an_order_has_the_shops_prices_and_its_own_copy_of_them():
    make_product("RICE", price_paise=64_900, gst_rate=5, hsn="100630")
    make_product("FAN", price_paise=329_900, gst_rate=18, hsn="841451")

    order = make_order(("RICE", 3), ("FAN", 1), payment_token="tok_success")
    Product.objects.update(price_paise=1, name="Changed")

    order.refresh_from_db()
    assert (order.total_paise, order.currency, order.state) == (3 * 64_900 + 329_900, "INR", OrderState.PENDING)
    assert order.payment_token == "tok_success"
    lines = order.lines.values_list("sku", "name", "hsn", "gst_rate", "quantity", "unit_price_paise", "total_paise")
    assert list(lines) == [
        ("RICE", "Rice of Bharat", "100630", 5, 3, 64_900, 194_700),
        ("FAN", "Fan of Bharat", "841451", 18, 1, 329_900, 329_900),
    ]


def test_an_order_belongs_to_its_customer_and_keeps_the_address():
    customer = make_user(email="asha@example.in")

    order = make_order(customer=customer)

    order.refresh_from_db()
    assert (order.customer, order.email, order.phone) == (customer, "asha@example.in", SHIPPING["phone"])
    assert {name: getattr(order, f"shipping_{name}") for name in SHIPPING if name != "phone"} == {
        name: value for name, value in SHIPPING.items() if name != "phone"
    }
    assert log_of(order) == ["placed"]


def test_placing_holds_stock_for_every_line():
    make_product("RICE", on_hand=10)
    make_product("DAL", on_hand=4)

    order = make_order(("RICE", 3), ("DAL", 4))

    assert (shelf("RICE"), shelf("DAL")) == ((10, 3), (4, 4))
    assert set(order.reservations.values_list("product__sku", "quantity", "state")) == {
        ("RICE", 3, "held"),
        ("DAL", 4, "held"),
    }


def test_placing_enqueues_the_reactions_about_the_order():
    order = make_order()

    names = set(Job.objects.filter(subject=f"order-{order.pk}").values_list("name", flat=True))
    assert {"orders.order_confirmation", "payments.process_payment", "payments.auto_cancel"} <= names
    assert all(job.args == {"order_id": order.pk} for job in Job.objects.all())


def test_a_sold_out_product_is_named_and_nothing_is_written():
    make_product("RICE", on_hand=5)
    make_product("SAREE", on_hand=1)
    make_product("GHEE", on_hand=0)

    with pytest.raises(OutOfStock) as refusal:
        make_order(("RICE", 5), ("SAREE", 2), ("GHEE", 1))

    assert refusal.value.fields == {"SAREE": "Only 1 left.", "GHEE": "Sold out."}
    assert nothing_was_written()
    assert (shelf("RICE"), shelf("SAREE"), shelf("GHEE")) == ((5, 0), (1, 0), (0, 0))


def test_stock_that_goes_between_pricing_and_locking_is_refused_by_the_lock(monkeypatch: pytest.MonkeyPatch):
    make_product("RICE", on_hand=5)
    make_product("SAREE", on_hand=1)
    reserve = stock.reserve

    def rival_comes_first(order: Order) -> None:
        Stock.objects.filter(product__sku="SAREE").update(reserved=1)
        reserve(order)

    monkeypatch.setattr(placement.stock, "reserve", rival_comes_first)
    with pytest.raises(OutOfStock) as refusal:
        make_order(("RICE", 2), ("SAREE", 1))

    assert refusal.value.fields == {"SAREE": "Sold out."}
    assert nothing_was_written()
    assert (shelf("RICE"), shelf("SAREE")) == ((5, 0), (1, 0))


def test_a_product_without_a_shelf_is_sold_out():
    product = make_product("RICE")
    Stock.objects.filter(product=product).delete()

    with pytest.raises(OutOfStock) as refusal:
        make_order(("RICE", 1))

    assert refusal.value.fields == {"RICE": "Sold out."}


def test_unknown_and_withdrawn_products_are_named():
    make_product("RICE")
    make_product("OLD", is_active=False)

    with pytest.raises(UnknownProduct) as refusal:
        make_order(("RICE", 1), ("OLD", 1), ("NONE", 1))

    assert refusal.value.fields == {"OLD": "Not for sale here.", "NONE": "Not for sale here."}
    assert nothing_was_written()


def test_a_product_named_twice_is_refused():
    make_product("RICE")

    with pytest.raises(ValidationError) as refusal:
        make_order(("RICE", 1), ("RICE", 2))

    assert refusal.value.detail == {"lines": ["RICE is named twice; give it one line."]}
    assert nothing_was_written()


def statements_of(lines: int, key: str) -> list[str]:
    """The SQL of one POST, without what the tests' own transaction adds."""
    client = api(make_user())
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = post_order(client, body(*[(f"P{number}", 1) for number in range(lines)]), key)
    assert answer.status_code == 201, answer.json()
    frame = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT")
    return [query["sql"] for query in captured if not query["sql"].startswith(frame)]


@pytest.fixture
def no_throttle(settings: Any) -> None:
    settings.API_LIMITS = {}


@pytest.mark.usefixtures("no_throttle")
def test_the_number_of_statements_does_not_depend_on_the_lines():
    for number in range(50):
        make_product(f"P{number}")

    one, fifty = statements_of(1, "one"), statements_of(50, "fifty")

    assert (len(one), len(fifty)) == (STATEMENTS, STATEMENTS)


@pytest.mark.usefixtures("no_throttle")
def test_the_key_is_claimed_first_and_the_stock_is_taken_last():
    make_product("P0")

    statements = statements_of(1, "key")

    assert "INSERT INTO orders_idempotencykey" in statements[0]
    assert "UPDATE orders_stock" in statements[-1]
    assert [sql for sql in statements if "orders_stock" in sql and "FOR NO KEY UPDATE" in sql] == statements[-1:]
