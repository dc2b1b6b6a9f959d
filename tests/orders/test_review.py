"""Reviews: opened once a matter, decided once, by a person or by their deadline."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.models import Notification
from orders import jobs
from orders.errors import OrderUnderReview, ReviewClosed
from orders.models import Order, ReviewItem
from orders.services import review, shipping
from orders.services.review import Matter
from orders.services.shipping import Parcel
from orders.states import ReviewKind
from queues.models import Job
from queues.testing import drain, moved, tick
from tests.orders.shop import at_once, log_of, make_order, make_packed_order, staff
from tests.payments.rivals import Rival

pytestmark = pytest.mark.django_db


def matter(order: Order, **changes: Any) -> Matter:
    facts: dict[str, Any] = {"kind": ReviewKind.HIGH_VALUE, "key": f"test-{order.pk}", "reasons": ("dear",)}
    return Matter(order.pk, **facts | changes)


def opened(order: Order | None = None, deadline_at: datetime | None = None, **changes: Any) -> ReviewItem:
    return review.open_review(matter(order or make_order(), deadline_at=deadline_at, **changes))


def mails(kind: str) -> list[str]:
    return sorted(Notification.objects.filter(kind=kind).values_list("to", flat=True))


def passed() -> datetime:
    return timezone.now() - timedelta(seconds=1)


def decisions() -> int:
    return Job.objects.filter(name="payments.carry_out_review").count()


def test_a_matter_opens_one_review_and_staff_is_told_once():
    order, people = make_order(), [staff(), staff()]

    first, second = opened(order), opened(order)

    assert first == second
    assert ReviewItem.objects.get().state == "open"
    assert mails("review_opened") == sorted(person.email for person in people)
    assert order.log.get(event="review_opened").detail == "high_value: dear"


def test_an_open_review_learns_what_it_did_not_know():
    order, end = make_order(), timezone.now() + timedelta(days=4)
    opened(order)

    opened(order, reasons=("dear", "strange"), payment_number=7, deadline_at=end)

    item = ReviewItem.objects.get()
    assert (item.reasons, item.payment_number, item.deadline_at) == (["dear", "strange"], 7, end)


@pytest.mark.parametrize(("approve", "state"), [(True, "approved"), (False, "rejected")])
def test_a_decision_is_kept_with_who_when_and_why(approve: bool, state: str):
    item, person = opened(), staff()

    review.decide(item.pk, approve=approve, by=person, note="rang the customer")

    item.refresh_from_db()
    assert (item.state, item.decided_by, item.note) == (state, person, "rang the customer")
    assert item.decided_at is not None
    assert item.order.log.get(event=f"review_{state}").detail == f"high_value: rang the customer ({person})"
    assert Job.objects.get(name="payments.carry_out_review").args == {"review_id": item.pk}


def test_the_second_decision_is_refused_and_changes_nothing():
    item, person = opened(), staff()
    review.decide(item.pk, approve=True, by=person)

    with pytest.raises(ReviewClosed):
        review.decide(item.pk, approve=False, by=staff(), note="no")

    item.refresh_from_db()
    assert (item.state, item.decided_by, item.note) == ("approved", person, "")
    assert decisions() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_decisions_at_once_one_stands():
    item, person = opened(), staff()

    def decide(approve: bool) -> bool:
        try:
            review.decide(item.pk, approve=approve, by=person)
        except ReviewClosed:
            return False
        return True

    won = at_once([lambda approve=n % 2 == 0: decide(approve) for n in range(6)], threads=6)

    assert won.count(True) == 1
    assert decisions() == 1


@pytest.mark.django_db(transaction=True)
def test_a_decision_on_the_line_of_the_expiry_wins_and_the_expiry_finds_it_decided(monkeypatch: pytest.MonkeyPatch):
    item, person, lock = opened(deadline_at=passed()), staff(), review.locks.lock_order

    def be_overtaken(order_id: int) -> Order:
        monkeypatch.undo()
        Rival(lambda: review.decide(item.pk, approve=True, by=person)).start().finish()
        return lock(order_id)

    monkeypatch.setattr(review.locks, "lock_order", be_overtaken)

    assert review.watch_deadlines()["expired"] == 0
    item.refresh_from_db()
    assert (item.state, item.decided_by) == ("approved", person)
    assert decisions() == 1


@pytest.mark.django_db(transaction=True)
def test_an_expiry_on_the_line_of_a_decision_wins_and_the_decision_is_refused(monkeypatch: pytest.MonkeyPatch):
    item, person, lock = opened(deadline_at=passed()), staff(), review.locks.lock_order

    def be_overtaken(order_id: int) -> Order:
        monkeypatch.undo()
        assert Rival(review.watch_deadlines).start().finish()["expired"] == 1
        return lock(order_id)

    monkeypatch.setattr(review.locks, "lock_order", be_overtaken)

    with pytest.raises(ReviewClosed):
        review.decide(item.pk, approve=True, by=person)
    item.refresh_from_db()
    assert (item.state, item.decided_by) == ("expired", None)
    assert decisions() == 1


def test_a_review_ends_at_its_deadline_once_and_one_without_never():
    item, endless = opened(deadline_at=passed()), opened()

    ended = [review.watch_deadlines()["expired"] for _ in range(2)]

    item.refresh_from_db()
    endless.refresh_from_db()
    assert ended == [1, 0]
    assert (item.state, endless.state) == ("expired", "open")
    assert log_of(item.order).count("review_expired") == 1


def test_staff_is_warned_once_before_the_deadline(settings: Any):
    person, now = staff(), timezone.now()
    near = opened(deadline_at=now + settings.REVIEW_ALARM - timedelta(minutes=1))
    opened(deadline_at=now + settings.REVIEW_ALARM + timedelta(minutes=5))

    warned = [review.watch_deadlines()["warned"] for _ in range(2)]

    assert warned == [1, 0]
    assert mails("review_due") == [person.email]
    assert Notification.objects.get(kind="review_due").context["review_id"] == near.pk


def test_the_deadlines_are_watched_by_a_recurring_job():
    item = opened(deadline_at=passed())

    with moved(minutes=5):
        tick()
        drain(queue="manual-review")

    item.refresh_from_db()
    assert item.state == "expired"
    assert jobs.watch_reviews.queue == "manual-review"


@pytest.mark.parametrize("approve", [None, False])
def test_goods_do_not_leave_before_the_review_is_approved(approve: bool | None):
    order = make_packed_order()
    item = opened(order)
    if approve is not None:
        review.decide(item.pk, approve=approve, by=staff())

    with pytest.raises(OrderUnderReview):
        shipping.ship(order.pk, Parcel("BlueDart", "BD-1"))

    order.refresh_from_db()
    assert order.state == "processing"
    assert "shipped" not in log_of(order)


def test_goods_leave_after_the_approval():
    order = make_packed_order()
    review.decide(opened(order).pk, approve=True, by=staff())

    shipping.ship(order.pk, Parcel("BlueDart", "BD-1"))

    order.refresh_from_db()
    assert order.state == "shipped"
