"""Returns: looked at, received when the goods have come, and settled where their refund failed.

They are approved in the queue of reviews.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from queues.ops.admin.lists import LongList, ReadOnlyInline, warned

from .. import selectors
from ..errors import ShopError
from ..models import ReturnLine, ReturnRequest
from ..services import return_money, returns
from ..states import ReturnState
from .search import ExactSearchAdmin, link_to_order


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
    list_display = ("id", "order_id", "told_state", "amount", "reason", "requested_at", "received_at")
    list_filter = ("state",)
    number_field, text_field = "order_id", "order__email"
    search_help_text = "number of the order or e-mail address of the customer"
    fields = (
        ("id", "about", "told_state"),
        ("amount", "refund"),
        "reason",
        ("requested_at", "answered_at", "received_at"),
    )
    readonly_fields = ("id", "about", "told_state", "amount", "refund")
    inlines = (ReturnLineInline,)
    change_form_template = "admin/orders/return.html"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.receive_view)
        settle = self.admin_site.admin_view(self.settle_view)
        return [
            path("<int:pk>/receive/", page, name="orders_returnrequest_receive"),
            path("<int:pk>/settle/", settle, name="orders_returnrequest_settle"),
            *super().get_urls(),
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of what may be said of its money, only what was."""
        return (*self.fields, *(name for name in ("unpaid_because", "paid_otherwise") if getattr(obj, name, "")))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        wanted: Any = kwargs.get("obj")
        state = wanted.state if wanted else ""
        context["may_receive"] = state == ReturnState.APPROVED and _may(request, "receive")
        context["may_settle"] = state == ReturnState.UNPAID and _may(request, "settle")
        return super().render_change_form(request, context, *args, **kwargs)

    def receive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what is damaged, then take the goods in."""
        wanted = get_object_or_404(ReturnRequest, pk=pk)
        if not _may(request, "receive"):
            return HttpResponseForbidden()
        form = ReceiveForm(request.POST or None, wanted)
        if request.method == "POST" and form.is_valid():
            self._receive(request, wanted, form.cleaned_data)
            return HttpResponseRedirect(reverse("admin:orders_returnrequest_change", args=[pk]))
        page = {**self.admin_site.each_context(request), "title": f"Receive {wanted}", "form": form, "wanted": wanted}
        return TemplateResponse(request, "admin/orders/receive.html", page)

    def settle_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the buttons of an unpaid return's page post to."""
        if request.method != "POST" or not _may(request, "settle"):
            return HttpResponseForbidden()
        wanted = get_object_or_404(ReturnRequest, pk=pk)
        how = request.POST.get("how", "").strip()
        if "again" not in request.POST and not how:
            self.message_user(request, "Say how it was paid, such as the number of the transfer.", messages.ERROR)
        else:
            self._settle(request, wanted, how)
        return HttpResponseRedirect(reverse("admin:orders_returnrequest_change", args=[pk]))

    @admin.display(description="state", ordering="state")
    def told_state(self, wanted: ReturnRequest) -> str:
        told = wanted.get_state_display()
        return warned(told) if wanted.state == ReturnState.UNPAID else told

    @admin.display(description="order")
    def about(self, wanted: ReturnRequest) -> str:
        return link_to_order(wanted.order_id)

    @admin.display(description="refund", empty_value="none")
    def refund(self, wanted: ReturnRequest) -> int | None:
        return wanted.refund_number

    def _settle(self, request: HttpRequest, wanted: ReturnRequest, how: str) -> None:
        try:
            if "again" in request.POST:
                return_money.refund_again(wanted.pk, request.user)
                told = f"{wanted.amount} of {wanted} is sent again."
            else:
                return_money.pay_otherwise(wanted.pk, how, request.user)
                told = f"{wanted} is paid."
        except ShopError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, told, messages.SUCCESS)

    def _receive(self, request: HttpRequest, wanted: ReturnRequest, damaged: dict[str, int]) -> None:
        try:
            returns.receive(wanted.pk, damaged, request.user)
        except ShopError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"{wanted} is received; {wanted.amount} goes back.", messages.SUCCESS)


def _may(request: HttpRequest, act: str) -> bool:
    return request.user.has_perm(f"orders.{act}_return") and request.user.has_perm("orders.view_returnrequest")
