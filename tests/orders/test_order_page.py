"""The page of an order in the admin: everything about it in one place, for those who may see it."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from orders.services import invoicing, returns, review
from tests.orders.shop import make_delivered_order, make_product, staff
from tests.payments.factories import captured_payment, place

pytestmark = pytest.mark.django_db

ALL = ("view_order", "view_reviewitem", "view_returnrequest", "view_payment")


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def page_of(order: Order, *permissions: str) -> str:
    client = Client()
    client.force_login(staff(*permissions))
    return client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()


def test_reviews_and_returns_of_an_order_are_a_click_away():
    make_product("RICE")
    order = make_delivered_order(("RICE", 2))
    wanted = returns.request_return(order.pk, [("RICE", 1)], "too long")
    item = review.open_return(wanted.pk)

    page, poor_page = page_of(order, *ALL), page_of(order, "view_order")

    for link in (f"/admin/orders/reviewitem/{item.pk}/change/", f"/admin/orders/returnrequest/{wanted.pk}/change/"):
        assert link in page
        assert link not in poor_page


def test_payments_and_the_invoice_of_an_order_are_a_click_away():
    payment = captured_payment(place())
    before = page_of(payment.order, *ALL)
    invoice = invoicing.generate_invoice(payment.order_id)

    page, poor_page = page_of(payment.order, *ALL), page_of(payment.order, "view_order")

    assert f"/admin/orders/invoice/{invoice.pk}/pdf/" in page
    assert "not yet" in before
    assert f"/admin/payments/payment/{payment.pk}/change/" in page
    assert f"/admin/payments/payment/{payment.pk}/change/" not in poor_page
    assert "₹499.00" in page


def test_a_review_says_what_is_at_stake():
    make_product("RICE")
    order = make_delivered_order(("RICE", 2))
    wanted = returns.request_return(order.pk, [("RICE", 1)], "too long")
    item = review.open_return(wanted.pk)
    client = Client()
    client.force_login(staff("view_reviewitem", "decide_review"))

    page = client.get(f"/admin/orders/reviewitem/{item.pk}/change/").content.decode()

    for words in (order.email, "₹210.00", "₹105.00", f"return {wanted.pk}", "too long"):
        assert words in page
