"""The payment providers' variables: all keys of one or none, and a default gateway that can be paid with."""

from collections.abc import Iterator, Mapping
from typing import Any

KEYS = {
    "stripe": ("STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRETS"),
    "razorpay": ("RAZORPAY_KEY_ID", "RAZORPAY_KEY_SECRET", "RAZORPAY_WEBHOOK_SECRETS"),
}
GATEWAYS = ("simulated", *KEYS)


def mistakes_in_providers(settings: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with these settings, a sentence each; no value is told."""
    for provider, names in KEYS.items():
        unset = [name for name in names if not settings[name]]
        if unset and len(unset) < len(names):
            yield from (f"{name}: is not set, but other keys of {provider} are." for name in unset)
    yield from _mistakes_in_default(settings)


def _mistakes_in_default(settings: Mapping[str, Any]) -> Iterator[str]:
    chosen = settings["PAYMENT_GATEWAY"]
    expected = f"expected one of {', '.join(GATEWAYS)}"
    if not chosen:
        yield f"PAYMENT_GATEWAY: is not set; {expected}."
    elif chosen not in GATEWAYS:
        yield f"PAYMENT_GATEWAY: {expected}; got {chosen!r}."
    elif chosen in KEYS and not any(settings[name] for name in KEYS[chosen]):
        yield f"PAYMENT_GATEWAY: is {chosen}, but none of {', '.join(KEYS[chosen])} is set."
