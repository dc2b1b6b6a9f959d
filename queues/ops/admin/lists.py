"""The admin lists of all apps: quick on large tables, and read-only where services alone write the rows.

They are in this app because every other app may import it.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Model]
    TabularInline = admin.TabularInline[Model, Model]
    BasePaginator = Paginator[Model]
else:
    ModelAdmin, TabularInline, BasePaginator = admin.ModelAdmin, admin.TabularInline, Paginator

COUNTED = 10_000
BEFORE, AFTER = "before", "after"


def warned(text: str) -> SafeString:
    """The text in the colour of a warning."""
    return format_html('<b style="color:#a16207">{}</b>', text)


class CappedPaginator(BasePaginator):
    """Counts at most COUNTED rows and pages through these; older ones are found by search and filter."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNTED].count())


class FastAdmin(ModelAdmin):
    """A list that never counts the whole table; newest first, and nothing is deleted."""

    ordering = ("-pk",)
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(FastAdmin):
    """Rows that nobody changes here: services alone write them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    """Read-only rows that belong to the page's object; whoever may view the page may view them."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NewestFirst(ChangeList):
    """Pages by primary key, newest first: `before=<pk>` and `after=<pk>` in the URL mean the page beyond that row.

    So page 1,000 costs as much as the first, and no row is left out or shown twice while others are inserted.
    """

    newest: str | None = None
    newer: str | None = None
    older: str | None = None

    def get_filters_params(self, params: Any = None) -> Any:
        """The filters of the URL. The page is no filter, and the link of a filter leads to the first page."""
        for name in (BEFORE, AFTER):
            self.filter_params.pop(name, None)
        return super().get_filters_params(params)

    def get_results(self, request: HttpRequest) -> None:
        """Read one page of rows and link its neighbours; count up to COUNTED rows for the line below the list."""
        self.result_count = self.model_admin.get_paginator(request, self.queryset, self.list_per_page).count
        self.full_result_count = None
        self.show_full_result_count, self.show_admin_actions = False, True
        self.can_show_all, self.multi_page = False, False
        self.result_list, first, last = self._page(self._key(request, AFTER), self._key(request, BEFORE))
        if self.result_list:
            self.newer = None if first else self._link(AFTER, self.result_list[0].pk)
            self.older = None if last else self._link(BEFORE, self.result_list[-1].pk)
        self.newest = None if first else self.get_query_string()

    def _page(self, after: int | None, before: int | None) -> tuple[list[Any], bool, bool]:
        """The rows, whether they are the newest of all, and whether they are the oldest."""
        wanted = self.list_per_page
        if after is not None:
            rows = list(self.queryset.filter(pk__gt=after).order_by("pk")[: wanted + 1])
            return rows[:wanted][::-1], len(rows) <= wanted, False
        found = self.queryset.order_by("-pk")
        rows = list((found if before is None else found.filter(pk__lt=before))[: wanted + 1])
        return rows[:wanted], before is None, len(rows) <= wanted

    def _key(self, request: HttpRequest, name: str) -> int | None:
        value = request.GET.get(name)
        if value is None:
            return None
        if not value.isdecimal() or int(value) >= 2**63:
            raise IncorrectLookupParameters(f"{name} takes the number of a row, got {value!r}")
        return int(value)

    def _link(self, name: str, key: int) -> str:
        return self.get_query_string({name: str(key)})


class LongList(ModelAdmin):
    """A mixin for tables that grow without limit: paged by primary key, and sorted by nothing else."""

    change_list_template = "admin/queues/long_list.html"
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[NewestFirst]:
        return NewestFirst
