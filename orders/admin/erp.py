"""What the ERP was told, to look at."""

from django.contrib import admin

from queues.ops.admin.lists import LongList

from ..models import ErpDelivery
from .search import ExactSearchAdmin


@admin.register(ErpDelivery)
class ErpDeliveryAdmin(LongList, ExactSearchAdmin):
    list_display = ("key", "attempts", "answer", "created_at", "delivered_at")
    list_filter = (("delivered_at", admin.EmptyFieldListFilter),)
    number_field, text_field = "order_id", "key"
    search_help_text = "number of the order, or the key"
