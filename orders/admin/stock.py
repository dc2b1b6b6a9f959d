"""Stock: looked at, and changed by what came in or went missing, never by typing over a number."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from queues.ops.admin.lists import FastAdmin, LongList, warned

from .. import selectors
from ..models import Reservation, Stock, StockMovement
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
    readonly_fields = ("product", "on_hand", "reserved", "low_since", "ledger")
    fields = (*readonly_fields, "received")
    actions = ("compare_with_ledger",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Compare selected stock with its movements", permissions=["view"])
    def compare_with_ledger(self, request: HttpRequest, queryset: QuerySet[Stock]) -> None:
        wrong = selectors.stock_off_the_ledger().filter(pk__in=queryset.values("pk")).select_related("product")
        for shelf in wrong:
            self.message_user(request, f"{shelf.product.sku}: {_difference(shelf)}", messages.ERROR)
        if not wrong:
            self.message_user(request, "The stock is what its movements say.", messages.SUCCESS)

    @admin.display(description="movements")
    def ledger(self, shelf: Stock) -> SafeString:
        """What the movements say, and the way to them."""
        wrong = selectors.stock_off_the_ledger().filter(pk=shelf.pk).first()
        url = reverse("admin:orders_stockmovement_changelist")
        link = format_html('<a href="{}?q={}">movements</a>', url, shelf.product.sku)
        return format_html("{}: {}", link, warned(_difference(wrong)) if wrong else "they add up to this")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form has done it."""


def _difference(shelf: Any) -> str:
    booked, told = (shelf.booked_on_hand, shelf.booked_reserved), (shelf.on_hand, shelf.reserved)
    return f"the movements say {booked[0]} on the shelf and {booked[1]} reserved, not {told[0]} and {told[1]}"


@admin.register(StockMovement)
class StockMovementAdmin(LongList, ExactSearchAdmin):
    list_display = ("id", "at", "product", "on_hand", "reserved", "reason", "order_id")
    list_filter = ("reason",)
    list_select_related = ("product",)
    number_field, text_field = "order_id", "product__sku"
    search_help_text = "number of the order or SKU"


@admin.register(Reservation)
class ReservationAdmin(LongList, ExactSearchAdmin):
    list_display = ("id", "order_id", "product", "quantity", "state")
    list_filter = ("state",)
    list_select_related = ("product",)
    number_field, text_field = "order_id", "product__sku"
    search_help_text = "number of the order or SKU"
