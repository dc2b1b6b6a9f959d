"""Queues in the admin: their counts, and which are paused; pause and resume them."""

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ...ledger.counts import Counts, stats
from ...models import QueueState
from ...settings import declared, queue_named
from ...states import JobState
from ..actions import pause_queue, resume_queue
from .lists import ReadOnlyAdmin, warned


class CountedQueue(Protocol):
    """A row of the page: a queue with its counts."""

    name: str
    counts: Counts


@admin.register(QueueState)
class QueueAdmin(ReadOnlyAdmin):
    """Every declared queue; actions pause or resume the selected ones."""

    list_display = ("name", "state", "paused_at", "concurrency", "waiting", "delayed", "active", "failed")
    list_display_links = None
    ordering = ("name",)
    actions = ("pause_selected", "resume_selected")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Create the rows of declared queues that have none yet."""
        rows = [QueueState(name=name) for name in declared()]
        QueueState.objects.bulk_create(rows, ignore_conflicts=True)
        return super().changelist_view(request, {"title": "Queues", **(extra_context or {})})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The rows with their counts, which are read once for all queues."""
        page = super().get_changelist_instance(request)
        counts = stats().queues
        page.result_list = list(page.result_list)
        for queue in page.result_list:
            queue.counts = counts[queue.name]
        return page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(name__in=list(declared()))

    def has_pause_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("queues.pause_queue")

    @admin.action(description="Pause selected queues", permissions=["pause"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[QueueState]) -> None:
        self._run(request, queryset, pause_queue, "paused")

    @admin.action(description="Resume selected queues", permissions=["pause"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[QueueState]) -> None:
        self._run(request, queryset, resume_queue, "resumed")

    def _run(self, request: HttpRequest, queues: QuerySet[QueueState], action: Callable[..., bool], done: str) -> None:
        actor = request.user.get_username()
        changed = [queue.name for queue in queues.order_by("name") if action(queue.name, actor=actor)]
        self.message_user(request, f"{done}: {', '.join(changed) or 'none'}", messages.SUCCESS)

    @admin.display(description="state")
    def state(self, queue: QueueState) -> SafeString | str:
        return warned("paused") if queue.paused_at else "running"

    @admin.display(description="at once in a process")
    def concurrency(self, queue: QueueState) -> int:
        return queue_named(queue.name).concurrency

    @admin.display(description="waiting")
    def waiting(self, queue: CountedQueue) -> SafeString:
        return _link_to_jobs(queue, queue.counts.waiting, due="now")

    @admin.display(description="delayed")
    def delayed(self, queue: CountedQueue) -> SafeString:
        return _link_to_jobs(queue, queue.counts.delayed, due="later")

    @admin.display(description="active")
    def active(self, queue: CountedQueue) -> SafeString:
        return _link_to_jobs(queue, queue.counts.active, state__exact=JobState.ACTIVE)

    @admin.display(description="failed")
    def failed(self, queue: CountedQueue) -> SafeString:
        number = queue.counts.failed
        return _link_to_jobs(queue, warned(str(number)) if number else number, state__exact=JobState.FAILED)


def _link_to_jobs(queue: CountedQueue, number: int | SafeString, **wanted: str) -> SafeString:
    """The number of these jobs, as a link to the list of them."""
    query = urlencode({"queue": queue.name, **wanted})
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:queues_job_changelist"), query, number)
