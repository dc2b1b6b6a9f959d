"""What people do about an order once its time has come, each act a function named in ACTS.

An act does the one step that is due now, tells it in the order's story, and is asked again until it is done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import requests

from .providers import Checkout
from .shop import Answer, Shop
from .staff import Staff
from .story import Paper, Story

QUEUED, APPROVED = "in the queue of reviews", "approved by staff"
SHIPPED, DELIVERED = "shipped by staff", "delivered"
ASKED, RECEIVED, REFUNDED = "return asked for", "goods received", "refunded"


@dataclass(frozen=True)
class People:
    """Who acts: the customer in the shop, the customer at the providers, and staff."""

    shop: Shop
    checkout: Checkout
    staff: Staff


def confirm(people: People, story: Story) -> bool:
    """Pay in the provider's checkout, as soon as the shop has told the storefront what it needs."""
    waiting = [payment for payment in people.shop.payments(story.order_id) if payment["client"]]
    if waiting:
        people.checkout.pay(story.plan.gateway, waiting[0]["client"])
    return bool(waiting)


def approve_order(people: People, story: Story) -> bool:
    """Look for the money, which is held, and let it go in the queue of reviews."""
    waiting = people.staff.reviews(story.order_id, "high_value")
    if waiting:
        story.tell(_told_of_money(people, story))
        _approve(people, story, waiting[0])
    return bool(waiting)


def send_back(people: People, story: Story) -> bool:
    """From the warehouse to the customer and, in part, back: everything that is done about a return."""
    if story.state == "processing" and "invoice" in story.order["links"]:
        people.staff.ship(story.order_id)
        story.tell(SHIPPED)
    elif story.state == "shipped":
        people.staff.deliver(story.order_id)
        story.tell(DELIVERED)
    elif story.state == "delivered":
        returns = people.shop.returns(story.order_id)
        return _go_on(people, story, returns[0]) if returns else _ask(people, story)
    return False


def _ask(people: People, story: Story) -> bool:
    people.shop.ask_return(story.order_id, story.sent_back, "One is enough.")
    story.tell(ASKED)
    return False


def _go_on(people: People, story: Story, wanted: Answer) -> bool:
    """The next step of a return that was asked for; it is done when its money and its papers are here."""
    if wanted["state"] == "requested":
        for review in people.staff.reviews(story.order_id, "return_request")[:1]:
            _approve(people, story, review)
    elif wanted["state"] == "approved":
        people.staff.receive(wanted["id"])
        story.tell(RECEIVED)
    elif wanted["state"] == "refunded":
        story.tell(REFUNDED)
        notes = people.shop.credit_notes(story.order_id)
        story.papers = [Paper(note["amount_paise"], people.shop.is_pdf(note["links"]["pdf"])) for note in notes]
    return bool(story.papers)


def _approve(people: People, story: Story, review: int) -> None:
    story.tell(QUEUED)
    people.staff.approve(review, "Looks right.")
    story.tell(APPROVED)


def _told_of_money(people: People, story: Story) -> str:
    """What the shop says of the payment, and what the gateway has in its book."""
    payment = people.shop.payments(story.order_id)[0]
    taken = sum(x["amount_paise"] for x in people.checkout.book() if x.get("order_id") == story.order_id)
    return f"{payment['state']}, {taken or payment['captured_paise'] or 'nothing'} taken"


ACTS: dict[str, Callable[[People, Story], bool]] = {
    "confirm": confirm,
    "approve": approve_order,
    "send back": send_back,
}
"""Each tells whether it was done; it is asked again until then."""


def act(people: People, stories: Sequence[Story]) -> None:
    """Do what can be done by now."""
    for story in stories:
        if story.plan.act and not story.has_acted:
            try:
                story.has_acted = ACTS[story.plan.act](people, story)
            except requests.RequestException:
                continue
