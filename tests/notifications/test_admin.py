"""The list of messages, for staff."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications import services
from notifications.models import Notification

pytestmark = pytest.mark.django_db
URL = "/admin/notifications/notification/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("boss@example.in"))
    return client


def record(number: int, to: str = "asha@example.in") -> None:
    services.record(kind="welcome", to=to, context={"shop": "BharatMart"}, key=f"welcome-{number}")


@pytest.mark.parametrize("query", ["?q=ravi@", "?q=welcome-2", "?q=welcome&kind=welcome", "?state__exact=pending", ""])
def test_messages_are_found(staff: Client, query: str) -> None:
    record(1)
    record(2, "ravi@example.in")

    page = staff.get(URL + query).content.decode()

    assert "ravi@example.in" in page


@pytest.mark.parametrize("query", ["?q=nobody@", "?q=welcome-3", "?state__exact=sent", "?kind=payment_failed"])
def test_other_messages_are_not(staff: Client, query: str) -> None:
    record(1)

    assert "asha@example.in" not in staff.get(URL + query).content.decode()


def test_list_never_counts_the_whole_table(staff: Client) -> None:
    record(1)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        staff.get(URL + "?state__exact=pending")

    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 10000" in sql for sql in counts)


def test_messages_cannot_be_changed(staff: Client) -> None:
    record(1)

    assert staff.get(URL + "add/").status_code == 403
    assert staff.post(URL, {"action": "delete_selected", "_selected_action": "1"}).status_code in (200, 302, 403)
    assert Notification.objects.count() == 1
