"""Messages, read-only: what was sent to whom, and what was refused why."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from queues.ops.admin.lists import LongList, ReadOnlyAdmin

from ..messages import KINDS
from ..models import Notification


class KindFilter(admin.SimpleListFilter):
    """The declared kinds; asking the table for its distinct values would read all of it."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notification]) -> QuerySet[Notification]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Notification)
class NotificationAdmin(LongList, ReadOnlyAdmin):
    """Search by the beginning of an address or key, or by kind; all three run on indexes."""

    list_display = ("id", "kind", "to", "state", "subject", "attempts", "created_at", "sent_at")
    list_display_links = ("id", "kind")
    list_filter = ("state", KindFilter)
    search_fields = ("to__startswith", "key__startswith", "kind__exact")
    search_help_text = "beginning of the address or of the key, or the kind"
