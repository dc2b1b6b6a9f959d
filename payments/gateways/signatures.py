"""The providers' signatures: HMAC-SHA256 over raw bytes, compared in constant time. No secret, no entry.

Written out instead of the SDKs' own: Razorpay's takes text where the body is bytes, and both raise TypeError for a
header that is not ASCII, which would be a 500.
"""

import hashlib
import hmac
import time
from collections.abc import Iterable

STRIPE_TOLERANCE = 300
"""Seconds that a Stripe event may be old, https://docs.stripe.com/webhooks#replay-attacks."""


def is_from_stripe(body: bytes, header: str, secrets: Iterable[str]) -> bool:
    """`Stripe-Signature: t=<seconds>,v1=<hex>[,v1=…]`, over "t.body"."""
    pairs = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name.strip() == "t"]
    given = [value for name, _, value in pairs if name.strip() == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdecimal()) or len(times[0]) > 12:
        return False
    if abs(time.time() - int(times[0])) > STRIPE_TOLERANCE:
        return False
    return _any_signs(times[0].encode() + b"." + body, given, secrets)


def is_from_razorpay(body: bytes, header: str, secrets: Iterable[str]) -> bool:
    """`X-Razorpay-Signature`: hex, over the body; it bears no time."""
    return _any_signs(body, [header], secrets)


def is_from_checkout(order: str, payment: str, signature: str, secret: str) -> bool:
    """What Razorpay's checkout hands to the storefront, over "order|payment"."""
    return _any_signs(f"{order}|{payment}".encode(), [signature], [secret])


def sign(message: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _any_signs(message: bytes, given: list[str], secrets: Iterable[str]) -> bool:
    expected = [sign(message, secret).encode() for secret in secrets if secret]
    told = [signature.strip().encode() for signature in given]
    return any(hmac.compare_digest(right, one) for right in expected for one in told)
