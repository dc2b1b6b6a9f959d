"""The gateways we speak to; each payment names its own."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from .base import Gateway
from .breaker import Guarded


def _loaded(path: str) -> Callable[[], Gateway]:
    """Makes gateways of a class that is loaded with the first one: the SDKs take more than 10 MB."""
    return lambda: cast(Gateway, import_string(f"payments.gateways.{path}")())


GATEWAYS: dict[str, Callable[[], Gateway]] = {
    "simulated": _loaded("simulated.SimulatedGateway"),
    "stripe": _loaded("stripe.StripeGateway"),
    "razorpay": _loaded("razorpay.RazorpayGateway"),
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
