"""Payments in the admin: complete, read-only, without a full count."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from payments.models import Payment
from payments.services import refunds

from .factories import captured_payment, place

pytestmark = pytest.mark.django_db

LIST = "/admin/payments/payment/"


@pytest.fixture
def payment() -> Payment:
    payment = captured_payment(place("tok_secret_of_the_card"))
    refunds.refund(payment.pk, 100, "one leaf was missing")
    return payment


def test_list_finds_a_payment_by_order_reference_and_key(admin_client: Client, payment: Payment):
    other = captured_payment(place())
    Payment.objects.filter(pk=other.pk).update(gateway_reference="ch_other")

    for words in (payment.order_id, payment.gateway_reference, payment.idempotency_key):
        page = admin_client.get(LIST, {"q": str(words)})
        assert [row.pk for row in page.context["cl"].result_list] == [payment.pk]


def test_search_can_use_the_indexes(admin_client: Client, payment: Payment):
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(LIST, {"q": payment.idempotency_key})

    conditions = [query["sql"].partition("WHERE")[2] for query in queries if payment.idempotency_key in query["sql"]]
    assert conditions
    assert not [sql for sql in conditions if "UPPER(" in sql or "LIKE" in sql]


def test_list_is_filtered_by_state(admin_client: Client, payment: Payment):
    assert admin_client.get(LIST, {"state__exact": "captured"}).context["cl"].result_count == 1
    assert admin_client.get(LIST, {"state__exact": "declined"}).context["cl"].result_count == 0


def test_page_shows_events_and_refunds_but_no_token(admin_client: Client, payment: Payment):
    page = admin_client.get(f"{LIST}{payment.pk}/change/").content.decode()

    assert "refund requested" in page.lower()
    assert "one leaf was missing" in page
    assert "tok_secret_of_the_card" not in page


@pytest.mark.parametrize("page", ["add/", "{pk}/delete/", "{pk}/change/"])
def test_nothing_can_be_changed(admin_client: Client, payment: Payment, page: str):
    response = admin_client.post(LIST + page.format(pk=payment.pk), {"state": "declined", "post": "yes"})

    assert response.status_code == 403
    assert Payment.objects.get().state == "captured"


def test_list_counts_no_table_to_its_end(admin_client: Client, payment: Payment):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        admin_client.get(LIST)

    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 10000" in sql for sql in counts)


def test_list_takes_the_same_number_of_statements_for_any_number(admin_client: Client, payment: Payment):
    few = _statements(admin_client)
    for _ in range(5):
        captured_payment(place())

    assert _statements(admin_client) == few


def _statements(client: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(LIST)
    return len(queries)
