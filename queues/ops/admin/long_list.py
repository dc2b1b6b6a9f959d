"""Lists in the admin that grow for ever: paged by key."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from .lists import ModelAdmin

BEFORE, AFTER = "before", "after"


class NewestFirst(ChangeList):
    """Pages by key, newest first: `before=<pk>` and `after=<pk>` ask for the page beyond a row.

    So the thousandth page costs what the first does, and no row is passed over or shown twice while others come in.
    """

    newest: str | None = None
    newer: str | None = None
    older: str | None = None

    def get_filters_params(self, params: Any = None) -> Any:
        """What is filtered by; the place in the list is no filter, and no filter's link keeps it."""
        for name in (BEFORE, AFTER):
            self.filter_params.pop(name, None)
        return super().get_filters_params(params)

    def get_results(self, request: HttpRequest) -> None:
        """One page of rows, and where its neighbours begin; counts up to COUNTED rows, for the line below the list."""
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
        """The rows, and whether they are the newest and the oldest that there are."""
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
    """To mix in where a list grows for ever: paged by key, and not sorted by anything else."""

    change_list_template = "admin/queues/long_list.html"
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[NewestFirst]:
        return NewestFirst
