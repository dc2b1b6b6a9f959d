"""What the director of the play may ask over HTTP: the customer's acts, faults, forgetting, and where webhooks go."""

from typing import TYPE_CHECKING

from .answers import Reply, Thing
from .hooks import Outbox, Post

if TYPE_CHECKING:
    from .server import Providers


def control(providers: "Providers", path: list[str], body: Thing) -> Reply:
    """`health`, `pay`, `faults`, `calm`, `forget`, `webhooks` and `book`, by POST (health and book by GET too)."""
    with providers.lock:
        match path:
            case ["health"]:
                return Reply(200, {"status": "ok"})
            case ["pay", "stripe"]:
                return Reply(200, providers.stripe.customer_pays(body["intent"], body.get("token", "pm_card_visa")))
            case ["pay", "razorpay"]:
                return Reply(200, providers.razorpay.customer_pays(body["order"], body.get("outcome", "captured")))
            case ["faults"]:
                providers.faults.plan(**body)
                return Reply(200, {})
            case ["forget"]:
                providers.stripe.keys.forget()
                providers.razorpay.keys.forget()
                return Reply(200, {})
            case ["webhooks", provider]:
                outbox = providers.account(provider).outbox
                outbox.address = body.pop("address", outbox.address)
                outbox.post = Post(**body)
                return Reply(200, {})
            case ["calm"]:
                providers.faults.clear()
                return Reply(200, {})
            case ["book"]:
                return Reply(200, _book(providers))
    return Reply(404, {})


def _book(providers: "Providers") -> Thing:
    """Everything that both accounts know."""
    stripe, razorpay = providers.stripe, providers.razorpay
    return {
        "stripe": {
            "webhooks": _sent(stripe.outbox),
            "intents": list(stripe.intents.values()),
            "refunds": list(stripe.refunds.values()),
        },
        "razorpay": {
            "webhooks": _sent(razorpay.outbox),
            "orders": list(razorpay.orders.values()),
            "payments": list(razorpay.payments.values()),
            "refunds": list(razorpay.refunds.values()),
        },
    }


def _sent(outbox: Outbox) -> dict[str, int]:
    return {"sent": len(outbox.events), "refused": len(outbox.undelivered)}
