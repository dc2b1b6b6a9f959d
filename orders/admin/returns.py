"""Returns: looked at, and received when the goods have come. They are approved in the queue of reviews."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from queues.long_list import LongList
from queues.readonly import ReadOnlyInline

from .. import selectors
from ..errors import ShopError
from ..models import ReturnLine, ReturnRequest
from ..services import returns
from ..states import ReturnState
from .search import ExactSearchAdmin


class ReturnLineInline(ReadOnlyInline):
    model = ReturnLine
    fields = ("line", "quantity", "damaged", "total")
    readonly_fields = fields


class ReceiveForm(forms.Form):
    """How many pieces of each product are damaged."""

    def __init__(self, data: Any, wanted: ReturnRequest) -> None:
        super().__init__(data)
        for returned in selectors.return_lines(wanted.pk):
            self.fields[returned.line.sku] = forms.IntegerField(
                min_value=0,
                max_value=returned.quantity,
                initial=0,
                label=f"{returned.line.name}: damaged of {returned.quantity}",
            )


@admin.register(ReturnRequest)
class ReturnRequestAdmin(LongList, ExactSearchAdmin):
    list_display = ("id", "order_id", "state", "amount", "reason", "requested_at", "received_at")
    list_filter = ("state",)
    number_field, text_field = "order_id", "order__email"
    search_help_text = "number of the order or e-mail address of the customer"
    fields = (
        ("id", "order", "state"),
        ("amount", "refund_number"),
        "reason",
        ("requested_at", "answered_at", "received_at"),
    )
    readonly_fields = ("id", "amount")
    inlines = (ReturnLineInline,)
    change_form_template = "admin/orders/return.html"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.receive_view)
        return [path("<int:pk>/receive/", page, name="orders_returnrequest_receive"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        wanted: Any = kwargs.get("obj")
        context["may_receive"] = wanted and wanted.state == ReturnState.APPROVED and _may_receive(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def receive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what is damaged, then take the goods in."""
        wanted = get_object_or_404(ReturnRequest, pk=pk)
        if not _may_receive(request):
            return HttpResponseForbidden()
        form = ReceiveForm(request.POST or None, wanted)
        if request.method == "POST" and form.is_valid():
            self._receive(request, wanted, form.cleaned_data)
            return HttpResponseRedirect(reverse("admin:orders_returnrequest_change", args=[pk]))
        page = {**self.admin_site.each_context(request), "title": f"Receive {wanted}", "form": form, "wanted": wanted}
        return TemplateResponse(request, "admin/orders/receive.html", page)

    def _receive(self, request: HttpRequest, wanted: ReturnRequest, damaged: dict[str, int]) -> None:
        try:
            returns.receive(wanted.pk, damaged, request.user)
        except ShopError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"{wanted} is received; {wanted.amount} goes back.", messages.SUCCESS)


def _may_receive(request: HttpRequest) -> bool:
    return request.user.has_perm("orders.receive_return") and request.user.has_perm("orders.view_returnrequest")
