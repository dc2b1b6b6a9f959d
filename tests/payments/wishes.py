"""What customers wish for while a payment waits for them; no request calls a gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from orders.models import Order
from payments.gateways.razorpay import RazorpayGateway
from payments.gateways.stripe import StripeGateway
from payments.gateways.wire import Wire
from payments.models import Payment
from payments.services import collect, expiry
from queues.models import Job

CLASSES: dict[str, Any] = {"stripe": StripeGateway, "razorpay": RazorpayGateway}
OTHER = {"stripe": "razorpay", "razorpay": "stripe"}
both = pytest.mark.parametrize("gateway", CLASSES)


@contextmanager
def no_gateway_is_called() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Wire, "send", lambda *_, **__: pytest.fail("a request called a gateway"))
        yield


def cancel(order: Order) -> str:
    with no_gateway_is_called():
        return str(expiry.cancel_by_customer(order).state)


def switch(order: Order, gateway: str, token: str = "") -> Payment:
    with no_gateway_is_called():
        return collect.request_payment(order, token, gateway)


def void_jobs() -> int:
    return Job.objects.filter(name="payments.void_payment").count()
