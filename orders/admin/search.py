"""Searching by what has an index, so that it stays fast with many rows."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from queues.ops.admin.lists import ReadOnlyAdmin


def link_to(model: str, key: int, words: str) -> SafeString:
    """The way to a row's page; `model` is such as orders_order."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{model}_change", args=[key]), words)


def link_to_order(order_id: int) -> SafeString:
    return link_to("orders_order", order_id, f"order {order_id}")


class ExactSearchAdmin(ReadOnlyAdmin):
    """A whole number (also as order-42) is looked for in `number_field`, anything else in `text_field`, exactly."""

    number_field = "pk"
    text_field: str
    search_fields = ("pk",)  # shows the box
    sortable_by = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        number = term.removeprefix("order-")
        if number.isascii() and number.isdigit() and len(number) < 19:
            return queryset.filter(**{self.number_field: int(number)}), False
        return (queryset.filter(**{self.text_field: self.spell(term)}) if term else queryset), False

    def spell(self, term: str) -> str:
        """The term in the spelling of the column."""
        return term
