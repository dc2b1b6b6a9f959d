"""The gateways we speak to; each payment names its own."""

from collections.abc import Callable

from django.conf import settings

from .base import Gateway
from .breaker import Guarded
from .razorpay import RazorpayGateway
from .simulated import SimulatedGateway
from .stripe import StripeGateway

GATEWAYS: dict[str, Callable[[], Gateway]] = {
    "simulated": SimulatedGateway,
    "stripe": StripeGateway,
    "razorpay": RazorpayGateway,
}


def gateway_named(name: str) -> Gateway:
    """The gateway of that name, behind its circuit breaker; LookupError if there is none."""
    try:
        return Guarded(name, GATEWAYS[name]())
    except KeyError:
        raise LookupError(f"no gateway is named {name!r}; known: {', '.join(sorted(GATEWAYS))}") from None


def configured() -> list[str]:
    """The gateways that new payments may use: those whose keys are set."""
    keys = {
        "simulated": settings.PAYMENT_GATEWAY == "simulated" or settings.DEBUG,
        "stripe": settings.STRIPE_SECRET_KEY,
        "razorpay": settings.RAZORPAY_KEY_ID,
    }
    return [name for name in GATEWAYS if keys[name]]
