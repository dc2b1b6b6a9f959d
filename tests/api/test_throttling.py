"""Limits counted in PostgreSQL over all processes."""

import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import F
from django.test import Client

from bharatmart.accounts.models import User
from bharatmart.api import limits
from bharatmart.api.jobs import prune_throttles
from bharatmart.api.limits import Rate
from bharatmart.api.models import Throttle
from queues.testing import assert_enqueued, drain, moved, tick

DAY = 86_400


@pytest.mark.django_db
def test_requests_within_the_rate_pass_and_the_next_has_to_wait() -> None:
    answers = [limits.count({"user 1": Rate(3, DAY)}) for _ in range(5)]

    assert answers[:3] == [None] * 3
    assert all(answer is not None and 1 <= answer <= DAY for answer in answers[3:])
    assert Throttle.objects.get().count == 5


@pytest.mark.django_db
def test_callers_are_counted_apart() -> None:
    assert limits.count({"user 1": Rate(1, DAY)}) is None
    assert limits.count({"user 2": Rate(1, DAY)}) is None


@pytest.mark.django_db
def test_one_statement_counts_all_that_apply(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert limits.count({"user 1": Rate(9, DAY), "POST /api/orders 1": Rate(1, DAY)}) is None

    assert limits.count({"user 1": Rate(9, DAY), "POST /api/orders 1": Rate(1, DAY)}) is not None
    assert list(Throttle.objects.values_list("count", flat=True)) == [2, 2]


@pytest.mark.django_db
def test_window_ends() -> None:
    answers = [limits.count({"user 1": Rate(1, DAY)}) for _ in range(2)]

    Throttle.objects.update(ends_at=F("ends_at") - DAY)

    assert answers[0] is None
    assert answers[1] is not None
    assert limits.count({"user 1": Rate(1, DAY)}) is None


@pytest.mark.django_db(transaction=True)
def test_connections_share_the_count() -> None:
    """Eight threads, each on a connection of its own as web processes are, with keys in clashing order."""
    answers: list[int | None] = []
    start = threading.Barrier(8, timeout=30)

    def run(turn: int) -> None:
        hits = {"a": Rate(10, DAY), "b": Rate(5000, DAY)}
        start.wait()
        for _ in range(50):
            answers.append(limits.count(hits if turn % 2 else dict(reversed(hits.items()))))
        connections.close_all()

    threads = [threading.Thread(target=run, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers.count(None) == 10
    assert dict(Throttle.objects.values_list("key", "count")) == {"a": 400, "b": 400}


@pytest.mark.django_db
def test_old_counters_are_deleted_and_running_ones_kept() -> None:
    # given a running counter, and more old ones than are deleted at once
    limits.count({"running": Rate(1, DAY)})
    Throttle.objects.bulk_create(
        Throttle(key=f"old{number}", ends_at=1, count=7) for number in range(limits.PRUNE_BATCH + 1)
    )

    # when ten minutes have passed
    with moved(minutes=10):
        tick()
        assert_enqueued(prune_throttles)
        drain(queue="order")

    # then
    assert [row.key for row in Throttle.objects.all()] == ["running"]
    assert limits.prune() == 0


@pytest.mark.django_db
def test_counters_write_no_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, relpersistence FROM pg_class WHERE relname IN ('api_throttle', 'api_cache')")
        assert dict(cursor.fetchall()) == {"api_throttle": "u", "api_cache": "u"}


@pytest.mark.django_db
def test_limit_answers_429_with_retry_after(client: Client, settings: Any) -> None:
    settings.API_LIMITS = {"anonymous": "2/day"}

    answers = [client.get("/api/schema?format=json") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "throttled"
    assert 1 <= int(answers[2]["Retry-After"]) <= DAY


@pytest.mark.django_db
def test_route_has_a_limit_of_its_own(client: Client, settings: Any) -> None:
    settings.API_LIMITS = {"user": "9/day", "POST /api/orders": "1/day"}
    client.force_login(User.objects.create_user("asha@example.in"))

    def place() -> int:
        return client.post("/api/orders", "{}", content_type="application/json").status_code

    assert (place(), place()) == (400, 429)
    assert client.get("/api/orders").status_code == 200


@pytest.mark.django_db
def test_invented_forwarding_header_is_no_way_out(client: Client, settings: Any) -> None:
    settings.API_LIMITS = {"anonymous": "1/day"}

    codes = [client.get("/api/schema", headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in (1, 2)]

    assert codes == [200, 429]


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "same"), [("2001:db8::2", True), ("2001:db8:0:1::1", False), ("10.0.0.1", False)])
def test_ipv6_customer_is_counted_by_network(client: Client, settings: Any, address: str, same: bool) -> None:
    settings.API_LIMITS = {"anonymous": "1/day"}
    client.get("/api/schema", REMOTE_ADDR="2001:db8::1")

    assert client.get("/api/schema", REMOTE_ADDR=address).status_code == (429 if same else 200)


@pytest.mark.django_db
def test_health_is_never_limited(client: Client, settings: Any) -> None:
    settings.API_LIMITS = {"anonymous": "1/day"}

    assert {client.get(path).status_code for path in ("/api/health", "/api/health/ready") for _ in range(3)} == {200}
    assert Throttle.objects.count() == 0


@pytest.mark.parametrize(("text", "rate"), [("off", None), ("600/minute", Rate(600, 60)), ("5/hour", Rate(5, 3600))])
def test_rate_is_read(text: str, rate: Rate | None) -> None:
    assert Rate.parse(text) == rate
