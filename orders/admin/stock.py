"""Stock: looked at, and changed by what came in or went missing, never by typing over a number."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from queues.readonly import FastAdmin

from ..models import Reservation, Stock
from ..services import stock
from .search import ExactSearchAdmin


class DeliveryForm(forms.ModelForm):  # type: ignore[type-arg]
    """Orders go on while the page is open, so the shelf is changed by a difference."""

    received = forms.IntegerField(
        min_value=-1_000_000, max_value=1_000_000, initial=0, help_text="pieces that came in; negative: went missing"
    )

    class Meta:
        model = Stock
        fields = ()

    def clean_received(self) -> int:
        """Try it, so that the database's own check decides, also against orders placed this very moment."""
        received: int = self.cleaned_data["received"]
        try:
            with transaction.atomic():
                stock.receive(self.instance.pk, received)
        except IntegrityError:
            raise ValidationError("That many are not on the shelf, or they are reserved.") from None
        return received


@admin.register(Stock)
class StockAdmin(FastAdmin):
    form = DeliveryForm
    list_display = ("product", "on_hand", "reserved", "free")
    list_select_related = ("product",)
    search_fields = ("product__sku", "product__name")
    readonly_fields = ("product", "on_hand", "reserved")
    fields = (*readonly_fields, "received")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form has done it."""


@admin.register(Reservation)
class ReservationAdmin(ExactSearchAdmin):
    list_display = ("id", "order_id", "product", "quantity", "state")
    list_filter = ("state",)
    list_select_related = ("product",)
    number_field, text_field = "order_id", "product__sku"
    search_help_text = "number of the order or SKU"
