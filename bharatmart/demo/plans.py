"""The orders that the demo places, and how each should end. Another kind of order is another Plan here."""

from dataclasses import dataclass

PAID = ("order_confirmation", "payment_receipt")
REVIEWED = ("in the queue of reviews", "approved by staff")


@dataclass(frozen=True)
class Plan:
    """An order to place: its payment token, the states it passes, and what the gateway's book says of it.

    With a `gateway` it is placed without a token and paid there. `act` names what is done about it later (acts.py), and
    `deeds` tells that step by step. With a `sku` one piece of that is ordered, else goods that no other order has; of
    the last product `sent_back` pieces come back.
    """

    title: str
    token: str
    states: tuple[str, ...]
    in_book: str
    mails: tuple[str, ...]
    keeps_goods: bool
    gateway: str = ""
    act: str = ""
    deeds: tuple[str, ...] = ()
    sku: str = ""
    sent_back: int = 0


PLANS = (
    Plan("paid", "tok_success", ("processing",), "1 captured", PAID, True),
    Plan(
        "declined",
        "tok_decline",
        ("payment_failed", "cancelled"),
        "1 declined",
        ("order_confirmation", "payment_failed", "order_cancelled"),
        False,
    ),
    Plan("gateway timed out", "tok_timeout_after", ("processing",), "1 captured", PAID, True),
    Plan("never paid", "", ("cancelled",), "nothing", ("order_confirmation", "order_cancelled"), False),
    Plan("Stripe", "pm_card_visa", ("processing",), "1 captured", PAID, True, gateway="stripe"),
    Plan("Razorpay", "", ("processing",), "1 captured", PAID, True, gateway="razorpay", act="confirm"),
    Plan(
        "above 50,000 rupees",
        "pm_card_visa",
        ("processing",),
        "1 captured",
        PAID,
        True,
        gateway="stripe",
        act="approve",
        deeds=("authorized, nothing taken", *REVIEWED),
        sku="KANJIVARAM-BRIDAL",
    ),
    Plan(
        "sent back",
        "pm_card_visa",
        ("processing", "shipped", "delivered"),
        "1 captured, 1 refunded",
        (*PAID, "shipping_notification", "return_approved", "refund_issued", "credit_note"),
        True,
        gateway="stripe",
        act="send back",
        deeds=(
            "shipped by staff",
            "delivered",
            "return asked for",
            *REVIEWED,
            "goods received",
            "refunded",
        ),
        sent_back=1,
    ),
)
