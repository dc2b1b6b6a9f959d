"""Customers, products and orders for the payment tests, placed by the real services."""

from itertools import count

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser

from orders.models import Order, OrderLine, OrderLog, Product, ReturnRequest, Stock
from orders.services import returns
from orders.services.placement import place_order
from payments.gateways.base import Charge, ChargeStatus
from payments.models import Payment
from payments.services.settle import settle

PRICE_PAISE = 49_900
SHIPPING = {
    "name": "Asha Rao",
    "line": "4 Church Street",
    "city": "Bengaluru",
    "state": "Karnataka",
    "pincode": "560001",
    "phone": "+919876543210",
}
_numbers = count(1)


def make_customer() -> AbstractBaseUser:
    return get_user_model().objects.create_user(email=f"asha{next(_numbers)}@example.in")


def make_product(on_hand: int = 10) -> Product:
    """Something to buy, with stock."""
    number = next(_numbers)
    product = Product.objects.create(
        sku=f"TEA-{number}",
        name="Assam tea",
        slug=f"assam-tea-{number}",
        category="Tea",
        unit="500 g",
        price_paise=PRICE_PAISE,
        gst_rate=5,
        hsn="0902",
    )
    Stock.objects.create(product=product, on_hand=on_hand)
    return product


def place(
    token: str = "tok_success",
    product: Product | None = None,
    customer: AbstractBaseUser | None = None,
    quantity: int = 1,
) -> Order:
    """An order of one piece, or more."""
    product = product or make_product()
    customer = customer or make_customer()
    order = place_order(customer=customer, lines=[(product.sku, quantity)], shipping=SHIPPING, payment_token=token)
    return Order.objects.get(pk=order.pk)


def submitted_payment(order: Order) -> Payment:
    """A payment of which only the intent is known, as a crash during the call leaves it."""
    payment = Payment.objects.create(
        order=order,
        amount_paise=order.total_paise,
        payment_token=order.payment_token or "tok_success",
        state="submitted",
        submitted_at=order.placed_at,
    )
    return payment


def captured_payment(order: Order) -> Payment:
    """A payment that paid the order, without a gateway."""
    return settle(submitted_payment(order).pk, proof("captured"))


def proof(status: str, amount_paise: int = PRICE_PAISE, currency: str = "INR", reference: str = "ch_1") -> Charge:
    """What a gateway may say of a payment."""
    return Charge(ChargeStatus(status), reference, amount_paise, currency, "" if status == "captured" else status)


def received_return(payment: Payment) -> ReturnRequest:
    """One piece of the payment's order is back."""
    Order.objects.filter(pk=payment.order_id).update(state="delivered")
    OrderLog.objects.create(order=payment.order, event="delivered")
    sku = OrderLine.objects.get(order=payment.order).sku
    wanted = returns.request_return(payment.order_id, [(sku, 1)], "too small")
    ReturnRequest.objects.filter(pk=wanted.pk).update(state="approved")
    return returns.receive(wanted.pk, {}, "anna")


def stock_of(order: Order) -> tuple[int, int]:
    """On hand and reserved, of the order's one product."""
    stock = Stock.objects.get(pk=order.lines.get().product_id)
    return stock.on_hand, stock.reserved
