"""Parcels: sent off once, forward only, whoever reports what how often."""

import pytest
from django.core import mail

from orders import jobs
from orders.errors import AlreadyShipped, OrderNotDeliverable, OrderNotShippable, TrackingNumberTaken, UnknownShipment
from orders.models import Order, Shipment
from orders.services import shipping
from orders.services.shipping import Parcel
from orders.states import OrderState, ShipmentStatus
from queues.models import Job
from queues.testing import assert_enqueued, drain
from tests.orders.shop import at_once, log_of, make_order, make_packed_order, make_paid_order, make_shipped_order

PARCEL = Parcel("BlueDart", "BD-77", "https://track.example.in/BD-77")

pytestmark = pytest.mark.django_db


def state_of(order: Order) -> str:
    return Order.objects.get(pk=order.pk).state


def test_a_packed_order_is_sent_off():
    order = make_packed_order()

    shipment = shipping.ship(order.pk, PARCEL)

    assert state_of(order) == OrderState.SHIPPED
    assert (shipment.carrier, shipment.tracking_number, shipment.status) == ("BlueDart", "BD-77", "shipped")
    assert order.log.get(event="shipped").detail == "BlueDart BD-77"
    assert_enqueued(jobs.shipping_notification, order_id=order.pk)


def test_the_same_parcel_again_changes_nothing_and_tells_nobody():
    order = make_packed_order()

    first, second = shipping.ship(order.pk, PARCEL), shipping.ship(order.pk, PARCEL)

    assert first == second
    assert log_of(order).count("shipped") == 1
    assert Job.objects.filter(name="orders.shipping_notification").count() == 1


def test_another_parcel_for_a_shipped_order_is_refused():
    order = make_shipped_order("BD-1")

    with pytest.raises(AlreadyShipped):
        shipping.ship(order.pk, PARCEL)

    assert Shipment.objects.get().tracking_number == "BD-1"


@pytest.mark.parametrize("make", [make_order, make_paid_order])
def test_what_is_not_packed_is_not_sent_off(make):
    order = make()

    with pytest.raises(OrderNotShippable):
        shipping.ship(order.pk, PARCEL)

    assert state_of(order) == order.state
    assert not Shipment.objects.exists()


def test_a_tracking_number_belongs_to_one_order():
    make_shipped_order("BD-77")
    other = make_packed_order()

    with pytest.raises(TrackingNumberTaken):
        shipping.ship(other.pk, PARCEL)

    assert state_of(other) == OrderState.PROCESSING
    assert "shipped" not in log_of(other)
    assert not Job.objects.filter(name="orders.shipping_notification", subject=f"order-{other.pk}").exists()


@pytest.mark.django_db(transaction=True)
def test_shipped_at_once_by_many_it_leaves_once():
    order = make_packed_order()

    at_once([lambda: shipping.ship(order.pk, PARCEL)] * 6, threads=6)

    assert Shipment.objects.count() == 1
    assert Job.objects.filter(name="orders.shipping_notification").count() == 1


def test_delivered_once():
    order = make_shipped_order()

    shipping.deliver(order.pk)
    shipping.deliver(order.pk)

    assert state_of(order) == OrderState.DELIVERED
    assert Shipment.objects.get().status == ShipmentStatus.DELIVERED
    assert log_of(order).count("delivered") == 1


def test_what_was_not_shipped_is_not_delivered():
    order = make_packed_order()

    with pytest.raises(OrderNotDeliverable):
        shipping.deliver(order.pk)

    assert state_of(order) == OrderState.PROCESSING


def test_the_mail_names_the_parcel_and_where_to_follow_it():
    order = make_packed_order()
    shipping.ship(order.pk, PARCEL)

    jobs.shipping_notification(order.pk)
    jobs.shipping_notification(order.pk)

    (sent,) = mail.outbox
    assert sent.subject == f"Your order {order.pk} is on its way"
    html = str(sent.alternatives[0][0])  # type: ignore[attr-defined]
    for said in ("BlueDart", "BD-77", "https://track.example.in/BD-77"):
        assert said in sent.body
        assert said in html


def test_a_report_moves_the_parcel_and_the_order():
    order = make_shipped_order("BD-5")
    drain()

    for status in (ShipmentStatus.IN_TRANSIT, ShipmentStatus.OUT_FOR_DELIVERY, ShipmentStatus.DELIVERED):
        shipping.report("BD-5", status)
        drain()
        assert Shipment.objects.get().status == status

    assert state_of(order) == OrderState.DELIVERED


def test_old_news_and_repetitions_change_nothing():
    order = make_shipped_order("BD-5")
    shipment = Shipment.objects.get()
    assert shipping.update_status(shipment.pk, "delivered")
    delivered_at = Shipment.objects.get().status_at

    moved = [shipping.update_status(shipment.pk, status) for status in ("in_transit", "shipped", "delivered")]

    assert moved == [False, False, False]
    assert (Shipment.objects.get().status, Shipment.objects.get().status_at) == ("delivered", delivered_at)
    assert log_of(order).count("delivered") == 1


def test_the_same_report_twice_waits_once():
    make_shipped_order("BD-5")

    for _ in range(2):
        shipping.report("BD-5", ShipmentStatus.IN_TRANSIT)

    assert Job.objects.filter(name="orders.update_status").count() == 1
    assert (jobs.update_status.queue, jobs.shipping_notification.queue) == ("order", "email")


def test_a_report_about_nobodys_parcel_is_refused():
    with pytest.raises(UnknownShipment):
        shipping.report("BD-404", ShipmentStatus.DELIVERED)

    assert not Job.objects.filter(name="orders.update_status").exists()
