from typing import Any

import pytest

from orders.models import IdempotencyKey, Order, Stock
from orders.services import lifecycle
from tests.orders.shop import SHIPPING, api, body, make_product, make_user, post_order, shelf

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Any:
    make_product("RICE", on_hand=500)
    return api(make_user())


def test_a_repeated_request_gets_the_first_answer_to_the_byte(client: Any):
    first = post_order(client, body(("RICE", 2)))
    lifecycle.cancel_order(first.json()["id"], "meanwhile")

    again = post_order(client, body(("RICE", 2)))

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert Order.objects.count() == 1
    assert shelf() == (500, 2)


def test_the_order_of_json_keys_does_not_make_another_request(client: Any):
    first = post_order(client, {"lines": [{"sku": "RICE", "quantity": 1}], "shipping": SHIPPING})
    turned = dict(reversed(SHIPPING.items()))

    again = post_order(client, {"shipping": turned, "lines": [{"quantity": 1, "sku": "RICE"}]})

    assert (again.status_code, again.content) == (201, first.content)


@pytest.mark.parametrize(
    "other",
    [
        body(("RICE", 3)),
        body(shipping=SHIPPING | {"city": "Mysuru"}),
        body(payment_token="tok_success"),
    ],
)
def test_another_body_under_the_key_is_refused(client: Any, other: dict[str, Any]):
    post_order(client, body(("RICE", 1)))

    answer = post_order(client, other)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1
    assert shelf() == (500, 1)


@pytest.mark.parametrize("key", [None, "", "   "])
def test_a_key_is_required(client: Any, key: str | None):
    answer = post_order(client, body(), key)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert not Order.objects.exists()


@pytest.mark.parametrize("key", ["k" * 256, "schlüssel", "k\x01y"])
def test_a_key_that_cannot_be_one_is_refused(client: Any, key: str):
    answer = post_order(client, body(), key)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert not Order.objects.exists()


def test_a_key_may_be_255_characters_long(client: Any):
    assert post_order(client, body(), "k" * 255).status_code == 201


def test_two_customers_may_use_the_same_key(client: Any):
    other = api(make_user())

    assert [post_order(who, body()).status_code for who in (client, other)] == [201, 201]

    assert Order.objects.count() == 2


def test_a_refusal_leaves_the_key_for_another_try(client: Any):
    make_product("SAREE", on_hand=0)
    assert post_order(client, body(("SAREE", 1))).status_code == 409
    assert not IdempotencyKey.objects.exists()

    Stock.objects.filter(product__sku="SAREE").update(on_hand=1)

    assert post_order(client, body(("SAREE", 1))).status_code == 201


def test_a_crash_leaves_the_key_for_another_try(client: Any, monkeypatch: pytest.MonkeyPatch):
    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("orders.services.stock.RESERVE", "SELECT 1/0 WHERE %s > 0")
        assert post_order(client, body()).status_code == 500
    assert not Order.objects.exists()

    assert post_order(client, body()).status_code == 201
