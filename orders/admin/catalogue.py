"""Products: texts, prices and whether they are for sale."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from queues.ops.admin.lists import FastAdmin

from ..models import Product
from ..services import stock


@admin.register(Product)
class ProductAdmin(FastAdmin):
    """A product's price is that of the next order; placed orders keep theirs."""

    list_display = ("sku", "name", "category", "price", "gst_rate", "free", "is_active")
    list_filter = ("is_active", "gst_rate")
    list_select_related = ("stock",)
    search_fields = ("sku", "name", "category")
    prepopulated_fields = {"slug": ("name",)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new product gets an empty shelf."""
        super().save_model(request, obj, form, change)
        if not change:
            stock.open_shelves({obj.pk: 0})
