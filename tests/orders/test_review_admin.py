"""The queue of reviews in the admin: what is open, the most urgent first; decided by those who may."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import ReviewItem
from orders.services import review
from orders.services.review import Matter
from orders.states import ReviewKind
from tests.orders.shop import make_order, make_product, staff

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/reviewitem/"


def logged_in(*permissions: str) -> Client:
    client = Client()
    client.force_login(staff(*permissions))
    return client


@pytest.fixture
def reviewer() -> Client:
    return logged_in("view_reviewitem", "decide_review")


def opened(hours: int | None = None, reason: str = "dear") -> ReviewItem:
    make_product(f"P{ReviewItem.objects.count()}")
    order = make_order((f"P{ReviewItem.objects.count()}", 1))
    end = None if hours is None else timezone.now() + timedelta(hours=hours)
    return review.open_review(Matter(order.pk, ReviewKind.HIGH_VALUE, f"k{order.pk}", (reason,), deadline_at=end))


def shown(answer: Any) -> list[int]:
    return [item.pk for item in answer.context["cl"].result_list]


def test_the_list_shows_what_is_open_the_most_urgent_first(reviewer: Client):
    endless, later, sooner, done = opened(), opened(hours=50), opened(hours=2), opened(hours=1)
    review.decide(done.pk, approve=True, by=staff())

    assert shown(reviewer.get(LIST)) == [sooner.pk, later.pk, endless.pk]
    assert shown(reviewer.get(LIST, {"state": "approved"})) == [done.pk]
    assert len(shown(reviewer.get(LIST, {"state": "all"}))) == 4


@pytest.mark.parametrize(("action", "state"), [("approve_selected", "approved"), ("reject_selected", "rejected")])
def test_selected_reviews_are_decided_with_a_note(reviewer: Client, action: str, state: str):
    items = [opened(), opened()]
    selected = {"action": action, "_selected_action": [item.pk for item in items]}

    asked = reviewer.post(LIST, selected)
    still_open = set(ReviewItem.objects.values_list("state", flat=True))
    reviewer.post(LIST, selected | {"note": "looked at"})

    assert "dear" in asked.content.decode()
    assert still_open == {"open"}
    assert set(ReviewItem.objects.values_list("state", "note")) == {(state, "looked at")}


@pytest.mark.parametrize(("button", "state"), [("approve", "approved"), ("reject", "rejected")])
def test_a_review_has_buttons(reviewer: Client, button: str, state: str):
    item = opened()
    page = f"{LIST}{item.pk}/change/"
    before = reviewer.get(page).content.decode()

    reviewer.post(f"{LIST}{item.pk}/decide/", {button: "x", "note": "fine"})

    item.refresh_from_db()
    assert "../decide/" in before
    assert "../decide/" not in reviewer.get(page).content.decode()
    assert (item.state, item.note) == (state, "fine")


def test_a_decided_review_is_not_decided_again(reviewer: Client):
    item = opened()
    review.decide(item.pk, approve=True, by=staff())

    answer = reviewer.post(f"{LIST}{item.pk}/decide/", {"reject": "x"}, follow=True)

    item.refresh_from_db()
    assert item.state == "approved"
    assert "decided before" in answer.content.decode()


def test_who_may_only_look_decides_nothing():
    item, client = opened(), logged_in("view_reviewitem")

    assert "../decide/" not in client.get(f"{LIST}{item.pk}/change/").content.decode()
    assert client.post(f"{LIST}{item.pk}/decide/", {"approve": "x"}).status_code == 403
    client.post(LIST, {"action": "approve_selected", "_selected_action": [item.pk], "note": ""})

    item.refresh_from_db()
    assert item.state == "open"


def test_reasons_are_shown_as_text(reviewer: Client):
    item = opened(reason="<script>alert(1)</script>")

    for page in (LIST, f"{LIST}{item.pk}/change/"):
        assert "<script>alert(1)" not in reviewer.get(page).content.decode()
