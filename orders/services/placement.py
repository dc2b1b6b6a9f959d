"""Placing an order: one transaction, the stock last, a number of statements that does not depend on the lines."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from rest_framework.exceptions import ValidationError

from queues.postgres.conflicts import again_on_conflict

from .. import events
from ..errors import OutOfStock, UnknownProduct
from ..models import Order, OrderLine, OrderLog, Product
from ..states import OrderEvent
from . import idempotency, stock
from .idempotency import Answer

Wish = tuple[str, int]
"""An SKU and how many of it."""


@transaction.atomic
def place_order(
    *, customer: AbstractBaseUser, lines: Sequence[Wish], shipping: Mapping[str, str], payment_token: str = ""
) -> Order:
    """Price, write and reserve an order.

    `shipping` has name, line, city, state, pincode and phone. Raises UnknownProduct, OutOfStock, and ValidationError
    for a product named twice; nothing is written then.
    """
    order = _write_order(customer, lines, shipping, payment_token)
    stock.reserve(order)
    return order


@again_on_conflict
@transaction.atomic
def place_order_once(
    *,
    key: str,
    body_hash: str,
    customer: AbstractBaseUser,
    lines: Sequence[Wish],
    shipping: Mapping[str, str],
    payment_token: str,
    render: Callable[[Order], str],
) -> Answer:
    """`place_order` at most once per customer and key; a repetition gets the first answer.

    `render` makes the JSON of the answer. A refusal stores nothing, so that the key may be tried again.
    Raises IdempotencyKeyReused for another body under the key.
    """
    given = idempotency.claim(customer.pk, key, body_hash)
    if given:
        return given
    order = _write_order(customer, lines, shipping, payment_token)
    answer = Answer(201, render(order))
    idempotency.keep(customer.pk, key, answer)
    stock.reserve(order)
    return answer


def _write_order(
    customer: AbstractBaseUser, wishes: Sequence[Wish], shipping: Mapping[str, str], payment_token: str
) -> Order:
    """Everything but the stock; the order comes back with its lines as if they had been prefetched."""
    lines = _price(wishes)
    order = Order.objects.create(
        customer_id=customer.pk,
        email=customer.get_username(),
        total_paise=sum(line.total_paise for line in lines),
        payment_token=payment_token,
        phone=shipping["phone"],
        **{f"shipping_{name}": shipping[name] for name in ("name", "line", "city", "state", "pincode")},
    )
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(lines)
    order._prefetched_objects_cache = {"lines": lines}  # type: ignore[attr-defined]
    OrderLog.objects.create(order=order, event=OrderEvent.PLACED)
    events.order_placed.emit(order_id=order.pk)
    return order


def _price(wishes: Sequence[Wish]) -> list[OrderLine]:
    """The lines at today's prices. What is plainly sold out is refused before anything is written or locked."""
    _refuse_repetition(wishes)
    skus = [sku for sku, _ in wishes]
    products = {p.sku: p for p in Product.objects.filter(sku__in=skus, is_active=True).select_related("stock")}
    unknown = {sku: "Not for sale here." for sku in skus if sku not in products}
    if unknown:
        raise UnknownProduct(unknown)
    free = {sku: product.free for sku, product in products.items()}
    short = {sku: stock.describe_shortage(free[sku]) for sku, quantity in wishes if quantity > free[sku]}
    if short:
        raise OutOfStock(short)
    return [_line(products[sku], quantity) for sku, quantity in wishes]


def _refuse_repetition(wishes: Sequence[Wish]) -> None:
    twice = [sku for sku, times in Counter(sku for sku, _ in wishes).items() if times > 1]
    if twice:
        raise ValidationError({"lines": [f"{sku} is named twice; give it one line." for sku in twice]})


def _line(product: Product, quantity: int) -> OrderLine:
    return OrderLine(
        product=product,
        sku=product.sku,
        name=product.name,
        hsn=product.hsn,
        gst_rate=product.gst_rate,
        quantity=quantity,
        unit_price_paise=product.price_paise,
        total_paise=product.price_paise * quantity,
    )
