"""Webhooks that tests make up and sign themselves."""

import hashlib
import hmac
import time
from typing import Any

from payments.simulator.providers.hooks import Outbox

PROVIDERS = ["stripe", "razorpay"]


def outbox(provider: str, secret: str = "") -> Outbox:
    return Outbox(provider, secret or {"stripe": "whsec_fake", "razorpay": "razor_fake"}[provider])


def an_event(provider: str, **more: Any) -> dict[str, Any]:
    if provider == "stripe":
        thing = {"object": "payment_intent", "id": "pi_of_nobody", "metadata": {}}
        return {"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "data": {"object": thing}, **more}
    entity = {"id": "pay_of_nobody", "order_id": "order_of_nobody"}
    return {"entity": "event", "event": "payment.captured", "payload": {"payment": {"entity": entity}}, **more}


def signed(provider: str, body: bytes) -> dict[str, str]:
    """Headers that are right for any bytes."""
    if provider == "stripe":
        now = str(int(time.time()))
        proof = hmac.new(b"whsec_fake", f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={now},v1={proof}"}
    return {"X-Razorpay-Signature": hmac.new(b"razor_fake", body, hashlib.sha256).hexdigest()}
