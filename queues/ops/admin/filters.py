"""Filters of the list of jobs."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ...definitions import registry
from ...models import Job
from ...settings import declared
from ...states import JobState


class DeclaredFilter(admin.SimpleListFilter):
    """Offers declared values only; to find the distinct values of the table, all of it would be read."""

    values: Callable[[], list[str]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in type(self).values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(**{self.parameter_name or "": self.value()}) if self.value() else queryset


class QueueFilter(DeclaredFilter):
    title = parameter_name = "queue"
    values = staticmethod(lambda: list(declared()))


class NameFilter(DeclaredFilter):
    template = "admin/queues/select_filter.html"
    title = parameter_name = "name"
    values = staticmethod(lambda: sorted(registry.names()))


class DueFilter(admin.SimpleListFilter):
    """Waiting jobs: those that could run now, or the delayed ones."""

    title, parameter_name = "due", "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "now"), ("later", "later")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if self.value() not in ("now", "later"):
            return queryset
        waiting, now = queryset.filter(state=JobState.WAITING), timezone.now()
        return waiting.filter(run_at__gt=now) if self.value() == "later" else waiting.filter(run_at__lte=now)
