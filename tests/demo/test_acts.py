"""What people do about the orders of the demo: each step when it is due, told once, and done when it has worked."""

from dataclasses import dataclass, field
from typing import Any

import requests

from bharatmart.demo.acts import People, act
from bharatmart.demo.plans import PLANS
from bharatmart.demo.story import Paper, Story

RAZORPAY, DEAR, SENT_BACK = PLANS[-3:]
CREDIT_NOTE = {"amount_paise": 30_400, "links": {"pdf": "/api/orders/7/credit-notes/1"}}


@dataclass
class StandIn:
    """Customer, checkout and staff in one, with a shop that answers as told; `done` is what they did."""

    payment: dict[str, Any] = field(default_factory=lambda: {"client": {}, "state": "authorized", "captured_paise": 0})
    entries: list[dict[str, Any]] = field(default_factory=list)
    queue: list[int] = field(default_factory=list)
    wanted: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    done: list[Any] = field(default_factory=list)
    is_down: bool = False

    def payments(self, order_id: int) -> list[dict[str, Any]]:
        return [self.payment]

    def pay(self, gateway: str, client: Any) -> None:
        self.done.append((gateway, client))

    def book(self) -> list[dict[str, Any]]:
        return self.entries

    def reviews(self, order_id: int, kind: str) -> list[int]:
        return self.queue

    def approve(self, review: int, note: str) -> None:
        self.done.append(("approve", review))

    def ship(self, order_id: int) -> None:
        if self.is_down:
            raise requests.ConnectionError
        self.done.append("ship")

    def deliver(self, order_id: int) -> None:
        self.done.append("deliver")

    def returns(self, order_id: int) -> list[dict[str, Any]]:
        return self.wanted

    def ask_return(self, order_id: int, lines: dict[str, int], reason: str) -> None:
        self.done.append(("return", lines))

    def receive(self, return_id: int) -> None:
        self.done.append(("receive", return_id))

    def credit_notes(self, order_id: int) -> list[dict[str, Any]]:
        return self.notes

    def is_pdf(self, path: str) -> bool:
        return True

    def act(self, story: Story) -> None:
        act(People(self, self, self), [story])  # type: ignore[arg-type]


def story(plan: Any, state: str = "pending", **links: str) -> Story:
    job = {"name": "payments.auto_cancel", "state": "completed", "attempt": 1, "run_at": "2099-11-21T12:00:00+00:00"}
    order = {"id": 7, "state": state, "links": links, "jobs": [job | {"finished_at": None}]}
    told = Story(plan, {"CHAI": 1, "ATTA": 2}, {"CHAI": 5, "ATTA": 9}, order)
    told.note(order)
    return told


def test_customer_confirms_once_the_storefront_knows_how() -> None:
    people, told = StandIn(), story(RAZORPAY)

    people.act(told)
    assert (told.has_acted, told.is_over()) == (False, False)
    people.payment = {"client": {"order_id": "order_1"}}
    people.act(told)
    people.act(told)

    assert people.done == [("razorpay", {"order_id": "order_1"})]
    assert told.is_over()


def test_held_order_is_approved_once_it_is_in_the_queue() -> None:
    people, told = StandIn(), story(DEAR)

    people.act(told)
    assert (told.has_acted, people.done) == (False, [])
    people.queue = [3]
    people.act(told)
    people.act(told)

    assert people.done == [("approve", 3)]
    assert tuple(told.deeds) == DEAR.deeds


def test_money_that_the_gateway_has_taken_before_the_approval_is_told() -> None:
    people, told = StandIn(queue=[3], entries=[{"order_id": 7, "amount_paise": 5_850_000}]), story(DEAR)

    people.act(told)

    assert told.deeds[0] == "authorized, 5850000 taken"


def test_order_is_sent_off_with_its_invoice_and_comes_back_in_part() -> None:
    people, told = StandIn(), story(SENT_BACK, "processing")

    people.act(told)
    assert people.done == []
    for state in ("processing", "shipped", "delivered"):
        told.note(told.order | {"state": state, "links": {"invoice": "/api/orders/7/invoice"}})
        people.act(told)
    for answer in ("requested", "approved", "received", "refunded"):
        people.wanted, people.queue = [{"id": 2, "state": answer}], [4]
        people.act(told)
    assert not told.has_acted
    people.notes = [CREDIT_NOTE]
    people.act(told)

    assert people.done == ["ship", "deliver", ("return", {"ATTA": 1}), ("approve", 4), ("receive", 2)]
    assert tuple(told.deeds) == SENT_BACK.deeds
    assert (told.has_acted, told.papers) == (True, [Paper(30_400, is_pdf=True)])


def test_step_without_an_answer_is_tried_again() -> None:
    people, told = StandIn(is_down=True), story(SENT_BACK, "processing", invoice="/api/orders/7/invoice")

    people.act(told)
    assert (people.done, told.deeds) == ([], [])
    people.is_down = False
    people.act(told)

    assert (people.done, told.deeds) == (["ship"], ["shipped by staff"])
