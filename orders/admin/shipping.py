"""Sending orders off from the list of orders, and the parcels."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from queues.ops.admin.lists import LongList

from ..errors import ShopError
from ..models import Order, Shipment
from ..services import shipping
from ..services.shipping import Parcel
from .search import ExactSearchAdmin


class ParcelForm(forms.ModelForm):  # type: ignore[type-arg]
    """Whether the tracking number is taken is asked when it is written."""

    tracking_url = forms.URLField(max_length=300, required=False, assume_scheme="https")

    class Meta:
        model = Shipment
        fields = ("carrier", "tracking_number", "tracking_url")

    def validate_unique(self) -> None:
        """Left to `shipping.ship`, for which the same parcel again is no mistake."""


class ShippingActions(LongList, ExactSearchAdmin):
    """The two steps after processing, as actions on orders."""

    actions = ("ship_selected", "deliver_selected")

    def has_ship_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.ship_order")

    @admin.action(description="Ship selected orders", permissions=["ship"])
    def ship_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> TemplateResponse | None:
        """Ask for each order's parcel; ship those that are filled in, and ask again for what was refused."""
        sent = request.POST if "ship" in request.POST else None
        forms_of = {order: ParcelForm(sent, prefix=f"order-{order.pk}") for order in queryset.order_by("pk")[:50]}
        if sent is not None:
            forms_of = {order: form for order, form in forms_of.items() if not self._ship(request, order, form)}
        if not forms_of:
            return None
        context = self.admin_site.each_context(request) | {
            "title": "Ship orders",
            "opts": self.model._meta,
            "rows": forms_of.items(),
        }
        return TemplateResponse(request, "admin/orders/ship.html", context)

    @admin.action(description="Mark selected orders as delivered", permissions=["ship"])
    def deliver_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        for order in queryset.order_by("pk"):
            try:
                shipping.deliver(order.pk)
            except ShopError as error:
                self.message_user(request, f"order {order.pk}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"order {order.pk} is delivered", messages.SUCCESS)

    def _ship(self, request: HttpRequest, order: Order, form: ParcelForm) -> bool:
        if not form.is_valid():
            return False
        try:
            shipping.ship(order.pk, Parcel(**form.cleaned_data))
        except ShopError as error:
            form.add_error(None, str(error))
            return False
        self.message_user(request, f"order {order.pk} is shipped", messages.SUCCESS)
        return True


@admin.register(Shipment)
class ShipmentAdmin(LongList, ExactSearchAdmin):
    list_display = ("tracking_number", "carrier", "order_id", "status", "shipped_at", "status_at")
    list_filter = ("status",)
    number_field, text_field = "order_id", "tracking_number"
    search_help_text = "number of the order (order-42) or the tracking number"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A tracking number may be digits alone, so it is looked for first."""
        by_number = queryset.filter(tracking_number=search_term.strip())
        if by_number.exists():
            return by_number, False
        return super().get_search_results(request, queryset, search_term)
