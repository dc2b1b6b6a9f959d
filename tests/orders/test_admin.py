from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bharatmart.accounts.models import User
from orders.models import DocumentSeries, Order, Product, Stock
from orders.services import invoicing
from tests.orders.shop import content_of, make_order, make_paid_order, make_product, make_user, shelf

pytestmark = pytest.mark.django_db

LISTS = [
    "product",
    "stock",
    "stockmovement",
    "shipment",
    "erpdelivery",
    "dailyfigures",
    "dailysales",
    "dailyreport",
    "reservation",
    "reviewitem",
    "returnrequest",
    "creditnote",
    "order",
    "invoice",
    "documentseries",
]


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def staff(*permissions: str) -> Client:
    user: User = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("name", LISTS)
def test_a_list_counts_no_table_and_asks_the_same_number_of_times(admin: Client, name: str):
    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(f"/admin/orders/{name}/").status_code == 200
        return [query["sql"] for query in captured]

    invoicing.generate_invoice(make_paid_order().pk)
    one = statements()
    for number in range(5):
        make_product(f"P{number}")
        invoicing.generate_invoice(make_paid_order((f"P{number}", 1)).pk)
    many = statements()

    assert len(many) == len(one)
    counts = [sql for sql in many if "COUNT(" in sql.upper()]
    assert counts
    assert all("LIMIT 10000" in sql for sql in counts)


def test_an_order_shows_its_lines_log_and_the_way_to_its_jobs(admin: Client):
    order = make_paid_order()

    page = admin.get(f"/admin/orders/order/{order.pk}/change/").content.decode()

    assert "Rice of Bharat" in page
    assert "₹105.00" in page
    assert "paid" in page
    link = f"/admin/queues/job/?subject=order-{order.pk}"
    assert link in page
    jobs = admin.get(link).content.decode()
    assert "orders.process_order" in jobs


def test_the_jobs_of_another_order_are_not_shown(admin: Client):
    order, other = make_paid_order(), make_order()

    jobs = admin.get(f"/admin/queues/job/?subject=order-{other.pk}").content.decode()

    assert f">order-{order.pk}<" not in jobs
    assert f">order-{other.pk}<" in jobs


@pytest.mark.parametrize("name", ["order", "invoice", "documentseries", "reservation"])
def test_orders_and_invoices_are_only_looked_at(admin: Client, name: str):
    order = make_paid_order()
    invoice = invoicing.generate_invoice(order.pk)
    keys = {
        "order": order.pk,
        "invoice": invoice.pk,
        "documentseries": DocumentSeries.objects.get().pk,
        "reservation": order.reservations.get().pk,
    }

    assert admin.get(f"/admin/orders/{name}/add/").status_code == 403
    assert admin.post(f"/admin/orders/{name}/{keys[name]}/change/", {"state": "cancelled"}).status_code == 403
    assert admin.post(f"/admin/orders/{name}/{keys[name]}/delete/", {"post": "yes"}).status_code == 403
    order.refresh_from_db()
    assert order.state == "paid"


@pytest.mark.parametrize(
    ("name", "search"),
    [
        ("order", "{order}"),
        ("order", "order-{order}"),
        ("order", " PRIYA@example.in "),
        ("invoice", "{order}"),
        ("invoice", "{invoice}"),
        ("reservation", "{order}"),
        ("reservation", "SAREE"),
    ],
)
def test_what_is_searched_is_found_exactly_and_through_an_index(admin: Client, name: str, search: str):
    make_product("SAREE")
    order = make_paid_order(("SAREE", 1), customer=make_user(email="priya@example.in"))
    invoice = invoicing.generate_invoice(order.pk)
    other = make_paid_order()
    other_invoice = invoicing.generate_invoice(other.pk)
    found = {"order": order.pk, "invoice": invoice.pk, "reservation": order.reservations.get().pk}
    unfound = {"order": other.pk, "invoice": other_invoice.pk, "reservation": other.reservations.get().pk}

    with CaptureQueriesContext(connection) as captured:
        answer = admin.get(f"/admin/orders/{name}/", {"q": search.format(order=order.pk, invoice=invoice.number)})

    page = answer.content.decode()
    assert f"/admin/orders/{name}/{found[name]}/change/" in page
    assert f"/admin/orders/{name}/{unfound[name]}/change/" not in page
    assert not any("UPPER(" in query["sql"] or "LIKE" in query["sql"] for query in captured)


@pytest.mark.parametrize("name", ["order", "invoice", "reservation"])
@pytest.mark.parametrize("search", ["x" * 500, "9" * 40, "९", "%", "order-"])
def test_a_search_for_anything_finds_nothing_and_does_not_fail(admin: Client, name: str, search: str):
    invoicing.generate_invoice(make_paid_order().pk)

    page = admin.get(f"/admin/orders/{name}/", {"q": search})

    assert page.status_code == 200
    assert 'id="result_list"' not in page.content.decode()


PRODUCT = {
    "low_stock_at": 5,
    "sku": "NEW",
    "name": "New thing",
    "slug": "new-thing",
    "category": "Grocery",
    "unit": "1 piece",
    "price_paise": 9_900,
    "gst_rate": 5,
    "hsn": "100630",
    "is_active": "on",
}


def test_a_new_product_gets_an_empty_shelf(admin: Client):
    assert admin.post("/admin/orders/product/add/", PRODUCT).status_code == 302

    assert shelf("NEW") == (0, 0)


@pytest.mark.parametrize("wrong", [{"hsn": "12345"}, {"gst_rate": 7}, {"price_paise": 0}, {"sku": ""}])
def test_a_product_that_cannot_be_sold_is_refused(admin: Client, wrong: dict[str, Any]):
    answer = admin.post("/admin/orders/product/add/", PRODUCT | wrong)

    assert answer.status_code == 200
    assert not Product.objects.exists()


def test_a_price_change_is_for_the_next_order(admin: Client):
    order = make_order()
    product = Product.objects.get()
    changed = PRODUCT | {"sku": product.sku, "slug": product.slug, "price_paise": 1_00}

    assert admin.post(f"/admin/orders/product/{product.pk}/change/", changed).status_code == 302

    assert (make_order().total_paise, Order.objects.get(pk=order.pk).total_paise) == (100, 10_500)


def test_a_delivery_is_counted_on_top_of_what_orders_took_meanwhile(admin: Client):
    make_order(("RICE", 4)) if make_product("RICE", on_hand=5) else None
    page = f"/admin/orders/stock/{Stock.objects.get().pk}/change/"

    assert admin.post(page, {"received": "20"}).status_code == 302

    assert shelf() == (25, 4)


@pytest.mark.parametrize("received", ["-2", "-1000000", "many", "1.5", "99999999"])
def test_an_impossible_delivery_is_refused(admin: Client, received: str):
    make_order(("RICE", 4)) if make_product("RICE", on_hand=5) else None
    page = f"/admin/orders/stock/{Stock.objects.get().pk}/change/"

    answer = admin.post(page, {"received": received, "on_hand": "1000", "reserved": "0"})

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert shelf() == (5, 4)


def test_an_invoice_is_downloaded_by_those_who_may_see_it(admin: Client):
    invoice = invoicing.generate_invoice(make_paid_order().pk)
    page = f"/admin/orders/invoice/{invoice.pk}/pdf/"

    for client in (admin, staff("view_invoice")):
        answer = client.get(page)
        assert answer.headers["Content-Type"] == "application/pdf"
        assert content_of(answer).startswith(b"%PDF-")
    assert staff("view_order").get(page).status_code == 404
    assert Client().get(page).status_code == 302
