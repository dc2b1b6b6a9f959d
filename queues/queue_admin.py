"""Queues in the admin: which are paused; pause and resume them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from . import settings as queue_settings
from . import steering
from .models import QueueState
from .readonly import ReadOnlyAdmin, warned
from .states import JobState

SHOWN_STATES = (JobState.WAITING, JobState.ACTIVE, JobState.FAILED)


@admin.register(QueueState)
class QueueAdmin(ReadOnlyAdmin):
    """Every declared queue; the chosen ones are paused or resumed."""

    list_display = ("name", "state", "paused_at", "concurrency", "jobs")
    list_display_links = None
    ordering = ("name",)
    actions = ("pause_selected", "resume_selected")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The rows of declared queues are made when somebody first looks."""
        rows = [QueueState(name=name) for name in queue_settings.declared()]
        QueueState.objects.bulk_create(rows, ignore_conflicts=True)
        return super().changelist_view(request, {"title": "Queues", **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(name__in=list(queue_settings.declared()))

    def has_pause_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("queues.pause_queue")

    @admin.action(description="Pause selected queues", permissions=["pause"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[QueueState]) -> None:
        self._steer(request, queryset, steering.pause_queue, "paused")

    @admin.action(description="Resume selected queues", permissions=["pause"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[QueueState]) -> None:
        self._steer(request, queryset, steering.resume_queue, "resumed")

    def _steer(self, request: HttpRequest, queues: QuerySet[QueueState], act: Callable[..., bool], done: str) -> None:
        changed = [
            queue.name for queue in queues.order_by("name") if act(queue.name, actor=request.user.get_username())
        ]
        self.message_user(request, f"{done}: {', '.join(changed) or 'none'}", messages.SUCCESS)

    @admin.display(description="state")
    def state(self, queue: QueueState) -> SafeString | str:
        return warned("paused") if queue.paused_at else "running"

    @admin.display(description="at once in a process")
    def concurrency(self, queue: QueueState) -> int:
        return queue_settings.get(queue.name).concurrency

    @admin.display(description="jobs")
    def jobs(self, queue: QueueState) -> SafeString:
        url = reverse("admin:queues_job_changelist")
        return format_html_join(
            " ", '<a href="{}?queue={}&amp;state__exact={}">{}</a>', ((url, queue.name, s, s) for s in SHOWN_STATES)
        )
