from io import StringIO

import pytest
from django.core.management import call_command

from orders.catalogue import CATALOGUE
from orders.models import Product, Stock
from tests.orders.shop import make_order

pytestmark = pytest.mark.django_db


def seed() -> str:
    out = StringIO()
    call_command("seed_catalogue", stdout=out)
    return out.getvalue()


def test_a_fresh_shop_has_its_shelves_filled():
    assert seed() == f"{len(CATALOGUE)} products added.\n"

    assert Product.objects.count() == Stock.objects.count() == len(CATALOGUE) >= 24
    assert not Stock.objects.filter(on_hand=0).exists()
    for product in Product.objects.all():
        product.full_clean()


def test_filling_again_changes_nothing():
    seed()
    Product.objects.filter(sku="BASMATI-5KG").update(price_paise=1, is_active=False)
    make_order(("TOOR-DAL-1KG", 2))
    before = list(Product.objects.order_by("id").values()), list(Stock.objects.order_by("pk").values())

    assert seed() == "The catalogue is complete already.\n"

    assert (list(Product.objects.order_by("id").values()), list(Stock.objects.order_by("pk").values())) == before


def test_what_is_missing_is_added(monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr("orders.services.catalogue.CATALOGUE", [i for i in CATALOGUE if i.sku != "BRASS-DIYA"])
        seed()

    assert seed() == "1 products added.\n"

    assert Stock.objects.get(product__sku="BRASS-DIYA").on_hand == 130


def test_the_starting_prices_make_sense():
    for item in CATALOGUE:
        assert item.price_paise % 100 == 0
        assert 5_000 <= item.price_paise <= 10_000_000
        assert item.gst_rate in (0, 5, 18)
        assert item.on_hand > 0
    assert any(item.price_paise > 5_000_000 for item in CATALOGUE)  # one that is reviewed before it is sent
