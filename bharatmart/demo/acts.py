"""What people do about an order once its time has come, each act a function named in ACTS.

A customer confirms a payment at the provider; staff's approval of a held order and a customer's return belong here too.
"""

from collections.abc import Callable, Sequence

import requests

from .providers import Checkout
from .shop import Shop
from .story import Story


def confirm(shop: Shop, checkout: Checkout, story: Story) -> bool:
    """Pay in the provider's checkout, as soon as the shop has told the storefront what it needs."""
    waiting = [payment for payment in shop.payments(story.order_id) if payment["client"]]
    if waiting:
        checkout.pay(story.plan.gateway, waiting[0]["client"])
    return bool(waiting)


ACTS: dict[str, Callable[[Shop, Checkout, Story], bool]] = {"confirm": confirm}
"""Each tells whether it was done; it is asked again until then."""


def act(shop: Shop, checkout: Checkout, stories: Sequence[Story]) -> None:
    """Do what can be done by now."""
    for story in stories:
        if story.plan.act and not story.has_acted:
            try:
                story.has_acted = ACTS[story.plan.act](shop, checkout, story)
            except requests.RequestException:
                continue
