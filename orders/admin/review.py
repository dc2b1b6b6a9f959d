"""The queue of what waits for a person: the most urgent first, approved or rejected with a note."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from queues.ops.admin.lists import warned

from ..errors import ReviewClosed
from ..models import ReviewItem
from ..services import review
from ..states import ReviewState
from .search import ExactSearchAdmin, link_to, link_to_order

EVERY = "all"
LONGEST_NOTE = 2000


class OpenFirst(admin.SimpleListFilter):
    """Unasked, the list shows what is open."""

    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [*ReviewState.choices, (EVERY, "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, title in self.lookup_choices:
            link = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": (self.value() or ReviewState.OPEN) == value, "query_string": link, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReviewItem]) -> QuerySet[ReviewItem]:
        state = self.value() or ReviewState.OPEN
        return queryset if state == EVERY else queryset.filter(state=state)


@admin.register(ReviewItem)
class ReviewItemAdmin(ExactSearchAdmin):
    list_display = ("id", "kind", "about", "total", "why", "deadline", "opened", "state", "decided_by")
    list_filter = (OpenFirst, "kind")
    list_select_related = ("decided_by", "order")
    ordering = (F("deadline_at").asc(nulls_last=True), "pk")  # type: ignore[assignment]  # Django takes expressions
    number_field, text_field = "order_id", "order__email"
    search_help_text = "number of the order or e-mail address of the customer"
    actions = ("approve_selected", "reject_selected")
    change_form_template = "admin/orders/review.html"
    fields = (
        ("id", "kind", "state"),
        ("about", "total", "customer"),
        ("payment_number", "sent_back"),
        "why",
        ("opened_at", "deadline_at"),
        ("decided_by", "decided_at"),
        "note",
    )
    readonly_fields = ("id", "about", "total", "customer", "sent_back", "why")

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.decide_view)
        return [path("<int:pk>/decide/", page, name="orders_reviewitem_decide"), *super().get_urls()]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.decide_review")

    @admin.action(description="Approve selected reviews", permissions=["decide"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        return self._ask_or_decide(request, queryset, approve=True)

    @admin.action(description="Reject selected reviews", permissions=["decide"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        return self._ask_or_decide(request, queryset, approve=False)

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the buttons of a review's page post to."""
        if request.method != "POST" or not self.has_decide_permission(request):
            return HttpResponseForbidden()
        self._decide(request, get_object_or_404(ReviewItem, pk=pk), approve="approve" in request.POST)
        return HttpResponseRedirect(reverse("admin:orders_reviewitem_change", args=[pk]))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        item: Any = kwargs.get("obj")
        context["may_decide"] = item and item.state == ReviewState.OPEN and self.has_decide_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="deadline", ordering="deadline_at")
    def deadline(self, item: ReviewItem) -> Any:
        if not item.deadline_at:
            return "-"
        told = _short(item.deadline_at)
        return warned(told) if item.alarmed_at and item.state == ReviewState.OPEN else told

    @admin.display(description="opened", ordering="opened_at")
    def opened(self, item: ReviewItem) -> str:
        return _short(item.opened_at)

    @admin.display(description="order")
    def about(self, item: ReviewItem) -> str:
        return link_to_order(item.order_id)

    @admin.display(description="total")
    def total(self, item: ReviewItem) -> str:
        return item.order.total

    @admin.display(description="customer")
    def customer(self, item: ReviewItem) -> str:
        return item.order.email

    @admin.display(description="return")
    def sent_back(self, item: ReviewItem) -> str:
        """What is to be sent back, and what it has cost."""
        if not item.return_request:
            return "-"
        wanted = item.return_request
        return format_html("{}, {}", link_to("orders_returnrequest", wanted.pk, str(wanted)), wanted.amount)

    def _ask_or_decide(
        self, request: HttpRequest, queryset: QuerySet[ReviewItem], *, approve: bool
    ) -> TemplateResponse | None:
        items = queryset.order_by("pk")[:50]
        if "note" in request.POST:
            for item in items:
                self._decide(request, item, approve=approve)
            return None
        context = self.admin_site.each_context(request) | {
            "title": "Approve reviews" if approve else "Reject reviews",
            "opts": self.model._meta,
            "items": items,
            "action": request.POST["action"],
        }
        return TemplateResponse(request, "admin/orders/decide.html", context)

    def _decide(self, request: HttpRequest, item: ReviewItem, *, approve: bool) -> None:
        note = request.POST.get("note", "").strip()[:LONGEST_NOTE]
        try:
            review.decide(item.pk, approve=approve, by=request.user, note=note)
        except ReviewClosed as error:
            self.message_user(request, f"{item}: {error}", messages.ERROR)
        else:
            self.message_user(request, f"{item} is {'approved' if approve else 'rejected'}", messages.SUCCESS)


def _short(at: datetime) -> str:
    return f"{timezone.localtime(at):%d %b, %H:%M}"
