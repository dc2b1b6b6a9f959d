from typing import Any

import pytest
from django.test import Client

from orders.models import Order, Shipment
from queues.testing import drain
from tests.orders.shop import api, make_packed_order, make_shipped_order, make_user, staff

pytestmark = pytest.mark.django_db

PARCEL = {"carrier": "Delhivery", "tracking_number": "DL-9", "tracking_url": "https://track.example.in/DL-9"}


def ship(order: Order, user: Any, **changes: Any) -> Any:
    return api(user).post(f"/api/orders/{order.pk}/ship", PARCEL | changes)


def test_staff_ships_and_delivers():
    order, packer = make_packed_order(), staff("ship_order")

    shipped, delivered = ship(order, packer), api(packer).post(f"/api/orders/{order.pk}/deliver")

    assert (shipped.status_code, delivered.status_code) == (200, 200)
    assert shipped.json() | PARCEL == shipped.json()
    assert (shipped.json()["status"], delivered.json()["status"]) == ("shipped", "delivered")
    assert Order.objects.get().state == "delivered"


def test_the_customer_sees_the_parcel():
    customer = make_user()
    order = make_packed_order(customer=customer)
    before = api(customer).get(f"/api/orders/{order.pk}").json()["shipment"]
    ship(order, staff("ship_order"))

    after = api(customer).get(f"/api/orders/{order.pk}").json()["shipment"]

    assert before is None
    assert after["tracking_number"] == "DL-9"


def make_shopper_who_may() -> Any:
    user = staff("ship_order")
    user.is_staff = False
    user.save()
    return user


@pytest.mark.parametrize("who", [make_user, lambda: staff("view_order"), make_shopper_who_may])
@pytest.mark.parametrize("step", ["ship", "deliver"])
def test_others_may_not(who: Any, step: str):
    order = make_packed_order()

    answer = api(who()).post(f"/api/orders/{order.pk}/{step}", PARCEL if step == "ship" else None)

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert Order.objects.get().state == "processing"


def test_refusals_have_codes():
    packer = staff("ship_order")
    make_shipped_order("DL-9")
    packed, shipped = make_packed_order(), make_shipped_order("DL-10")
    shipped_state = api(packer).post(f"/api/orders/{packed.pk}/deliver")

    assert (shipped_state.status_code, shipped_state.json()["code"]) == (409, "order_not_deliverable")
    for order, code in ((packed, "tracking_number_taken"), (shipped, "already_shipped")):
        answer = ship(order, packer)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert ship(Order(pk=10**9), packer).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [("carrier", ""), ("tracking_number", "x y"), ("tracking_number", ""), ("tracking_url", "javascript:alert(1)")],
)
def test_a_parcel_that_nobody_finds_is_refused(field: str, value: str):
    order = make_packed_order()

    answer = ship(order, staff("ship_order"), **{field: value})

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert Order.objects.get().state == "processing"


def make_carrier() -> Any:
    user = staff("report_shipment_status")
    user.is_staff = False
    user.save()
    return user


def test_a_carrier_reports():
    make_shipped_order("BD-5")

    answer = api(make_carrier()).post("/api/shipments/status", {"tracking_number": "BD-5", "status": "delivered"})
    drain()

    assert answer.status_code == 202
    assert Order.objects.get().state == "delivered"


@pytest.mark.parametrize(
    ("who", "told", "expected"),
    [
        (make_user, {}, (403, "permission_denied")),
        (make_carrier, {"tracking_number": "BD-6"}, (404, "unknown_shipment")),
        (make_carrier, {"status": "lost"}, (400, "invalid")),
        (make_carrier, {"at": "now"}, (400, "invalid")),
    ],
)
def test_a_report_is_refused(who: Any, told: dict[str, str], expected: tuple[int, str]):
    make_shipped_order("BD-5")

    answer = api(who()).post("/api/shipments/status", {"tracking_number": "BD-5", "status": "delivered"} | told)
    drain()

    assert (answer.status_code, answer.json()["code"]) == expected
    assert Shipment.objects.get().status == "shipped"


def logged_in(*permissions: str) -> Client:
    client = Client()
    client.force_login(staff("view_order", *permissions))
    return client


def act(client: Client, action: str, *orders: Order, **fields: str) -> str:
    sent = {"action": action, "_selected_action": [order.pk for order in orders], **fields}
    return client.post("/admin/orders/order/", sent, follow=True).content.decode()


def test_the_admin_asks_for_parcels_and_ships():
    first, second = make_packed_order(), make_packed_order()
    client = logged_in("ship_order")
    assert f"order-{second.pk}-tracking_number" in act(client, "ship_selected", first, second)
    fields = {"ship": "yes", f"order-{first.pk}-carrier": "BlueDart", f"order-{first.pk}-tracking_number": "BD-1"}

    page = act(client, "ship_selected", first, second, **fields)

    assert "This field is required." in page
    assert [order.state for order in Order.objects.order_by("pk")] == ["shipped", "processing"]
    page = act(client, "deliver_selected", first, second)
    assert "Only an order that was shipped can be delivered." in page
    assert [order.state for order in Order.objects.order_by("pk")] == ["delivered", "processing"]


def test_the_admin_tells_what_was_refused():
    make_shipped_order("BD-1")
    order = make_packed_order()
    fields = {"ship": "yes", f"order-{order.pk}-carrier": "BlueDart", f"order-{order.pk}-tracking_number": "BD-1"}

    assert "Another order was shipped" in act(logged_in("ship_order"), "ship_selected", order, **fields)


@pytest.mark.parametrize("action", ["ship_selected", "deliver_selected"])
def test_without_the_permission_there_are_no_actions(action: str):
    order = make_shipped_order()

    page = act(logged_in(), action, order, ship="yes")

    assert action not in page
    assert Order.objects.get().state == "shipped"


def test_parcels_are_found_by_their_number():
    make_shipped_order("BD-1")
    make_shipped_order("1234567")
    client = logged_in("view_shipment")

    page = client.get("/admin/orders/shipment/", {"q": "1234567"}).content.decode()

    assert "1234567" in page
    assert "BD-1" not in page
