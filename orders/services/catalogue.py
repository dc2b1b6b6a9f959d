"""Filling the catalogue."""

from django.db import transaction
from django.utils.text import slugify

from ..catalogue import CATALOGUE, Item
from ..models import Product
from . import stock


@transaction.atomic
def seed_catalogue() -> int:
    """Add what is missing of CATALOGUE and give every new product its stock; returns how many were added.

    Prices, texts and stock of products that exist are left alone.
    """
    items = {item.sku: item for item in CATALOGUE}
    known = Product.objects.filter(sku__in=items).values_list("sku", flat=True)
    new = [item for sku, item in items.items() if sku not in set(known)]
    products = Product.objects.bulk_create([_product(item) for item in new])
    stock.open_shelves({product.pk: items[product.sku].on_hand for product in products})
    return len(new)


def _product(item: Item) -> Product:
    return Product(
        sku=item.sku,
        name=item.name,
        slug=slugify(f"{item.name} {item.sku}"),
        description=item.description,
        category=item.category,
        unit=item.unit,
        price_paise=item.price_paise,
        gst_rate=item.gst_rate,
        hsn=item.hsn,
    )
