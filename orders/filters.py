"""What a list of products can be narrowed to."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from . import selectors
from .models import Product


class ProductFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(method="having_words", label="every word in name, description, category or SKU")
    category = django_filters.CharFilter(lookup_expr="iexact")
    min_price_paise = django_filters.NumberFilter("price_paise", lookup_expr="gte", min_value=0, max_value=10**12)
    max_price_paise = django_filters.NumberFilter("price_paise", lookup_expr="lte", min_value=0, max_value=10**12)

    class Meta:
        model = Product
        fields: tuple[str, ...] = ()

    def having_words(self, products: QuerySet[Product], name: str, value: Any) -> QuerySet[Product]:
        return selectors.search_products(products, str(value))
