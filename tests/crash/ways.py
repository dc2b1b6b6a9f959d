"""The ways of an order on which a process is made to die: what its customer and the shop's staff do on them.

Each arms the point when what comes before is done, so that the point is met where it is meant.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model

from orders.errors import ReviewClosed
from orders.models import Invoice, Order, OrderLine, Product, ReviewItem
from orders.services import lifecycle, placement, returns, review, shipping
from orders.services.shipping import Parcel
from orders.states import OrderState
from payments.gateways import gateway_named
from payments.selectors import intent_of
from payments.services.settle import settle
from tests.payments.factories import SHIPPING, place, submitted_payment
from tests.processes import wait_for

if TYPE_CHECKING:
    from tests.crash.world import World

ABOVE_THE_LIMIT = 6_000_000


def pay(world: "World") -> Order:
    world.arm()
    return place("tok_success", world.product)


def pay_and_ask_again(world: "World") -> Order:
    """The process that answers the customer dies, and they send the same request again."""
    world.arm()
    world.let_person("place", world.product.pk)
    return Order.objects.get()


def pay_while_mail_is_put_off(world: "World") -> Order:
    world.sink.fail_next("451")
    return pay(world)


def be_declined(world: "World") -> Order:
    world.arm()
    return place("tok_decline", world.product)


def pay_late(world: "World") -> Order:
    """The gateway takes the money of an order that is cancelled meanwhile."""
    world.arm()
    order = place("", world.product)
    payment = submitted_payment(order)
    assert lifecycle.cancel_order(order.pk, "the customer did not want it any more")
    settle(payment.pk, gateway_named(payment.gateway).charge(intent_of(payment)))
    assert Order.objects.get(pk=order.pk).state == OrderState.CANCELLED
    return order


def be_held_and_approved(world: "World") -> Order:
    return _be_held(world, "approve")


def be_held_and_refused(world: "World") -> Order:
    return _be_held(world, "reject")


def send_back(world: "World") -> Order:
    """Bought, delivered, asked to return, approved, received."""
    order = place("tok_success", world.product)
    wait_for(lambda: Invoice.objects.exclude(pdf="").exists())
    world.wait_until_settled()
    shipping.ship(order.pk, Parcel("BlueDart", f"BD-{order.pk}"))
    shipping.deliver(order.pk)
    world.wait_until_settled()
    world.arm()
    wanted = returns.request_return(order.pk, [(OrderLine.objects.get(order=order).sku, 1)], "too small")
    world.let_person("approve", wait_for(ReviewItem.objects.first).pk)
    world.let_person("receive", wanted.pk)
    return order


WAYS: dict[str, Callable[["World"], Order]] = {
    "paid": pay,
    "paid, and the customer asks again": pay_and_ask_again,
    "paid, and the first mail is put off": pay_while_mail_is_put_off,
    "declined": be_declined,
    "refunded": pay_late,
    "approved": be_held_and_approved,
    "refused": be_held_and_refused,
    "returned": send_back,
}


def act(step: str, pk: int) -> None:
    """What a customer does in the shop or staff in the admin; they try again when they saw no answer."""
    if step == "place":
        _place_once(pk)
        return
    if step == "receive":
        returns.receive(pk, {}, "anna")
        return
    anna, _ = get_user_model().objects.get_or_create(email="anna@example.in")
    try:
        review.decide(pk, approve=step == "approve", by=anna)
    except ReviewClosed:
        print("it was decided before")


def _place_once(product_id: int) -> None:
    bela, _ = get_user_model().objects.get_or_create(email="bela@example.in")
    placement.place_order_once(
        key="the one request",
        body_hash="the same body",
        customer=bela,
        lines=[(Product.objects.get(pk=product_id).sku, 1)],
        shipping=SHIPPING,
        payment_token="tok_success",
        render=lambda order: f'{{"id": {order.pk}}}',
    )


def _be_held(world: "World", step: str) -> Order:
    Product.objects.update(price_paise=ABOVE_THE_LIMIT)
    world.arm()
    order = place("tok_success", world.product)
    world.let_person(step, wait_for(ReviewItem.objects.first).pk)
    return order
