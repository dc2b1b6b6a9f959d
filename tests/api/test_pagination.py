"""Pages by keyset."""

import base64
import json
from typing import Any

import pytest
from django.db.models import F, QuerySet
from django.db.models.functions import Length
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from bharatmart.accounts.models import User
from bharatmart.api.pagination import KeysetPagination

pytestmark = pytest.mark.django_db
NAMES = ["Asha", "Ravi", "Asha", "Meera", "Ravi", "Asha", "Kiran"]


@pytest.fixture
def users() -> QuerySet[User]:
    User.objects.bulk_create([User(email=f"{n}@example.in", first_name=name) for n, name in enumerate(NAMES)])
    return User.objects.all()


def page(rows: QuerySet[Any], query: str = "") -> tuple[list[Any], str | None]:
    paginator = KeysetPagination()
    results = paginator.paginate_queryset(rows, Request(APIRequestFactory().get(f"/api/users{query}")))
    answer = paginator.get_paginated_response(results).data
    assert answer.keys() == {"results", "next"}
    return answer["results"], answer["next"]


def all_pages(rows: QuerySet[Any], limit: int) -> list[Any]:
    found, following = page(rows, f"?limit={limit}")
    while following:
        more, following = page(rows, following.removeprefix("http://testserver/api/users"))
        assert more
        found += more
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 50])
@pytest.mark.parametrize(
    "ordering", [[], ["pk"], ["-pk"], ["first_name"], ["-first_name", "pk"], ["first_name", "-date_joined"], ["size"]]
)
def test_pages_together_are_the_whole_list_in_order(users: QuerySet[User], ordering: list[str], limit: int) -> None:
    rows = users.annotate(size=Length("first_name")).order_by(*ordering)

    assert all_pages(rows, limit) == list(rows.order_by(*(ordering or ["-pk"]), "-pk"))


def test_rows_that_come_meanwhile_shift_nothing(users: QuerySet[User]) -> None:
    first, following = page(users, "?limit=3")
    User.objects.create_user("late@example.in")
    assert following is not None

    second, _ = page(users, following.removeprefix("http://testserver/api/users"))

    assert [user.email for user in first + second] == [f"{n}@example.in" for n in (6, 5, 4, 3, 2, 1)]


def test_nothing_is_counted_and_one_query_a_page(users: QuerySet[User], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1) as queries:
        page(users, "?limit=2")

    assert "COUNT" not in queries[0]["sql"]


def test_other_parameters_stay_in_the_next_address(users: QuerySet[User]) -> None:
    _, following = page(users, "?limit=2&search=tea%20%26%20more")

    assert following is not None
    assert "search=tea+%26+more" in following


def cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        "?cursor=x",
        "?cursor=%00",
        "?cursor=%F0%9F%92%A9",
        f"?cursor={cursor(['a'])}",
        f"?cursor={cursor([])}",
        f"?cursor={cursor(['1', '2'])}",
        f"?cursor={cursor({'a': 1})}",
        f"?cursor={cursor([1])}",
        "?limit=0",
        "?limit=-1",
        "?limit=201",
        "?limit=two",
        "?limit=%D9%A3",
        "?limit=99999999999999999999",
    ],
)
def test_nonsense_is_refused_by_name(users: QuerySet[User], query: str) -> None:
    with pytest.raises(ValidationError) as refused:
        page(users, query)

    assert list(refused.value.detail) == [query[1:].split("=", maxsplit=1)[0]]


@pytest.mark.parametrize("value", [10**30, -(10**30)])
def test_cursor_beyond_all_rows_is_no_error(users: QuerySet[User], value: int) -> None:
    results, following = page(users, f"?cursor={cursor([str(value)])}")

    assert (len(results), following) in ((0, None), (7, None))


def test_order_by_an_expression_says_what_to_do(users: QuerySet[User]) -> None:
    with pytest.raises(TypeError, match="names of fields or annotations"):
        page(users.order_by(F("first_name").desc()))
