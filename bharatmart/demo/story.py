"""The orders of the demo: placed as planned, and what was seen of each on its way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests

from .delayed import DelayedSet, Held
from .errors import DemoError
from .plans import PLANS, Plan
from .shop import Answer, Shop

JOB_ENDS = {"completed", "failed", "cancelled"}
SAME_TIME = 1.0  # seconds between a job's run_at and the score of its message
DEAREST_PAISE = 300_000
AUTO_CANCEL, RELEASE = "payments.auto_cancel", "orders.release_stock_on_failure"


class ShelvesEmpty(DemoError):
    """The catalogue has not enough products for the demo."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass
class Job:
    """A background job of an order; `held_until` while rq-scheduler has it."""

    name: str
    state: str
    attempt: int
    run_at: datetime
    finished_at: datetime | None
    held_until: datetime | None = None


@dataclass(frozen=True)
class Paper:
    """A credit note."""

    amount_paise: int
    is_pdf: bool


@dataclass
class Story:
    """What became of one order."""

    plan: Plan
    lines: dict[str, int]
    free_before: dict[str, int]
    order: Answer
    states: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    was_held: bool = False
    free_when_failed: dict[str, int] | None = None
    has_acted: bool = False
    deeds: list[str] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)

    @property
    def order_id(self) -> int:
        return int(self.order["id"])

    @property
    def state(self) -> str:
        return str(self.order["state"])

    @property
    def sent_back(self) -> dict[str, int]:
        """What the customer sends back, by SKU: pieces of the last product."""
        return {list(self.lines)[-1]: self.plan.sent_back} if self.plan.sent_back else {}

    @property
    def sent_back_paise(self) -> int:
        """What these pieces have cost."""
        prices = {line["sku"]: line["unit_price_paise"] for line in self.order["lines"]}
        return sum(prices[sku] * quantity for sku, quantity in self.sent_back.items())

    def tell(self, deed: str) -> None:
        """Somebody has done something about the order; the same twice in a row is one."""
        if deed not in self.deeds[-1:]:
            self.deeds.append(deed)

    def is_over(self) -> bool:
        is_acted = self.has_acted or not self.plan.act
        return is_acted and bool(self.jobs) and all(job.state in JOB_ENDS for job in self.jobs)

    def note(self, order: Answer) -> None:
        """Take in what the API says now."""
        self.order = order
        if not self.states or self.states[-1] != self.state:
            self.states.append(self.state)
        self.jobs = [_job(facts) for facts in order["jobs"]]

    def has_just_failed(self) -> bool:
        """The payment failed and its stock was given back: the moment to look at the shelf."""
        return (
            self.free_when_failed is None
            and self.state == "payment_failed"
            and any(job.name == RELEASE and job.state == "completed" for job in self.jobs)
        )


def place_all(shop: Shop) -> Iterator[Story]:
    """Place the orders, each with one precious product or with two that no other one has."""
    shelf = [x for x in shop.products() if x["available"] >= 3 and x["price_paise"] <= DEAREST_PAISE]
    if len(shelf) < 2 * sum(not plan.sku for plan in PLANS):
        raise ShelvesEmpty
    for plan in PLANS:
        products = [shop.product(plan.sku)] if plan.sku else [shelf.pop(0), shelf.pop(0)]
        lines = {product["sku"]: quantity for quantity, product in enumerate(products, start=1)}
        free = {product["sku"]: product["available"] for product in products}
        order = shop.place_order(lines, "" if plan.gateway else plan.token)
        if plan.gateway:
            shop.pay(int(order["id"]), plan.gateway, plan.token)
        yield Story(plan, lines, free, order)


def look(shop: Shop, delayed: DelayedSet, stories: Sequence[Story]) -> bool:
    """Bring all stories up to date; False if the shop did not answer."""
    try:
        held = delayed.read()
        for story in stories:
            story.note(shop.order(story.order_id))
        note_held(stories, held)
        for story in stories:
            if story.has_just_failed():
                story.free_when_failed = free_of(shop, story)
    except requests.RequestException:
        return False
    return True


def free_of(shop: Shop, story: Story) -> dict[str, int]:
    """What is free now of the goods of an order."""
    return {sku: shop.available(sku) for sku in story.lines}


def _job(facts: dict[str, Any]) -> Job:
    finished = facts["finished_at"]
    return Job(
        name=facts["name"],
        state=facts["state"],
        attempt=facts["attempt"],
        run_at=datetime.fromisoformat(facts["run_at"]),
        finished_at=datetime.fromisoformat(finished) if finished else None,
    )


def note_held(stories: Sequence[Story], held: Sequence[Held]) -> None:
    """Give each delayed message to its job: the name tells the kind, the time tells whose it is."""
    waiting = [(story, job) for story in stories for job in story.jobs if job.state == "waiting"]
    for message in held:
        near = [
            (abs(job.run_at.timestamp() - message.due), n)
            for n, (_, job) in enumerate(waiting)
            if job.name == message.name
        ]
        distance, nearest = min(near, default=(SAME_TIME, -1))
        if distance < SAME_TIME:
            story, job = waiting[nearest]
            job.held_until = datetime.fromtimestamp(message.due).astimezone()
            story.was_held |= job.name == AUTO_CANCEL
