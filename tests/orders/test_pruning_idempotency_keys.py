"""Answers under an Idempotency-Key are kept for a day."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.jobs import prune_idempotency_keys
from orders.models import IdempotencyKey, Order
from orders.services import idempotency
from queues.testing import assert_enqueued, drain, moved, tick
from tests.orders.shop import api, body, make_product, make_user, post_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Any:
    make_product("RICE", on_hand=500)
    return api(make_user())


def grow_old(key: str, hours: float) -> None:
    IdempotencyKey.objects.filter(key=key).update(created_at=timezone.now() - timedelta(hours=hours))


def test_keys_older_than_a_day_are_deleted_every_hour(client: Any, monkeypatch: pytest.MonkeyPatch):
    # given two old keys and a younger one, and batches of one
    monkeypatch.setattr(idempotency, "PRUNE_BATCH", 1)
    for key, hours in (("a", 24.1), ("b", 99), ("c", 23.9)):
        post_order(client, body(), key)
        grow_old(key, hours)

    # when an hour has passed
    with moved(hours=1):
        tick()
        assert_enqueued(prune_idempotency_keys)
        drain(queue="order")

    # then
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["c"]


def test_key_that_was_pruned_places_a_new_order(client: Any):
    post_order(client, body(), "a")
    grow_old("a", 25)
    idempotency.prune()

    assert post_order(client, body(), "a").status_code == 201

    assert Order.objects.count() == 2


def test_key_that_is_pruned_while_it_is_claimed_is_taken(client: Any, monkeypatch: pytest.MonkeyPatch):
    # given an old key, which is pruned right after the claim has found it
    post_order(client, body(), "a")
    grow_old("a", 25)
    real = IdempotencyKey.objects.filter

    def filter_after_pruning(**wanted: Any) -> Any:
        monkeypatch.undo()
        assert idempotency.prune() == 1
        return real(**wanted)

    monkeypatch.setattr(IdempotencyKey.objects, "filter", filter_after_pruning)

    # when
    answer = post_order(client, body(), "a")

    # then it is as if the key had never been
    assert answer.status_code == 201
    assert Order.objects.count() == 2
    assert IdempotencyKey.objects.get().response_status == 201
