from typing import Any

import pytest

from tests.orders.shop import api, make_order, make_product, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop() -> None:
    make_product("RICE", name="Aged Basmati Rice", price_paise=74_900, on_hand=7)
    make_product("DAL", name="Toor Dal", price_paise=18_900, description="for rice and sambar")
    make_product("SAREE", name="Kanjivaram Saree", category="Clothing", price_paise=5_850_000, unit="6 m", gst_rate=18)
    make_product("OLD", is_active=False)


def skus(query: str = "") -> list[str]:
    return [product["sku"] for product in api().get(f"/api/products{query}").json()["results"]]


def test_everybody_sees_what_is_on_sale():
    assert skus() == ["RICE", "DAL", "SAREE"]


def test_a_product_tells_its_price_and_what_is_left():
    make_order(("SAREE", 4))

    assert api().get("/api/products/SAREE").json() == {
        "sku": "SAREE",
        "name": "Kanjivaram Saree",
        "slug": "saree",
        "description": "",
        "category": "Clothing",
        "unit": "6 m",
        "price_paise": 5_850_000,
        "price": "₹58,500.00",
        "gst_rate": 18,
        "hsn": "100630",
        "available": 6,
        "links": {"self": "/api/products/SAREE"},
    }


@pytest.mark.parametrize("sku", ["OLD", "NONE", "rice"])
def test_what_is_not_on_sale_is_not_found(sku: str):
    assert api().get(f"/api/products/{sku}").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?search=rice", ["RICE", "DAL"]),
        ("?search=basmati+AGED", ["RICE"]),
        ("?search=cloth", ["SAREE"]),
        ("?search=100%25", []),
        ("?search=", ["RICE", "DAL", "SAREE"]),
        ("?category=clothing", ["SAREE"]),
        ("?min_price_paise=18901&max_price_paise=74900", ["RICE"]),
        ("?search=rice&max_price_paise=20000", ["DAL"]),
    ],
)
def test_search_and_filters(query: str, found: list[str]):
    assert skus(query) == found


@pytest.mark.parametrize("query", ["min_price_paise=cheap", "max_price_paise=-1", "min_price_paise=1e99", "search=%00"])
def test_a_filter_that_makes_no_sense_is_refused(query: str):
    answer = api().get(f"/api/products?{query}")

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [query.split("=", maxsplit=1)[0]]


def test_pages_follow_each_other():
    page = api().get("/api/products?limit=2").json()

    assert [product["sku"] for product in page["results"]] == ["RICE", "DAL"]
    assert [product["sku"] for product in api().get(page["next"]).json()["results"]] == ["SAREE"]


def test_one_statement_shows_any_number_of_products(django_assert_num_queries: Any, settings: Any):
    settings.API_LIMITS = {}
    client = api(make_user())

    with django_assert_num_queries(1):
        assert client.get("/api/products").status_code == 200
