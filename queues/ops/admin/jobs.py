"""Jobs in the admin: view and search them; retry, cancel and discard them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import localtime

from ...models import Attempt, AuditEntry, Job
from ...states import FINAL, RETRYABLE, JobState
from ..actions import cancel_jobs, discard_jobs, retry_jobs, retry_matching
from . import rendering
from .filters import DueFilter, NameFilter, QueueFilter
from .lists import LongList, ReadOnlyAdmin, ReadOnlyInline


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = ("number", "outcome", "worker", "started_at", "finished_at", "attempt_error", "attempt_log")
    readonly_fields = fields

    @admin.display(description="error")
    def attempt_error(self, attempt: Attempt) -> SafeString | str:
        return rendering.error(attempt)

    @admin.display(description="log")
    def attempt_log(self, attempt: Attempt) -> SafeString | str:
        return rendering.log(attempt)


class AuditInline(ReadOnlyInline):
    model = AuditEntry
    fields = ("at", "actor", "action", "detail")
    verbose_name_plural = "audit"


@admin.register(Job)
class JobAdmin(LongList, ReadOnlyAdmin):
    """Search by key, subject (`order-42`), number, or the error of a failed job."""

    list_display = ("id", "name", "queue", "state_badge", "attempts_of", "subject", "when", "error_start")
    list_display_links = ("id", "name")
    list_filter = ("state", DueFilter, QueueFilter, NameFilter)
    search_fields = ("key", "subject", "error")
    search_help_text = "Key or subject (such as order-42), number of the job, or words of a failed job's error"
    actions = ("retry_selected", "retry_same_error", "cancel_selected", "discard_selected")
    inlines = (AttemptInline, AuditInline)
    list_select_related = ("worker",)
    change_form_template = "admin/queues/job.html"
    fields = (
        ("name", "queue", "priority"),
        ("state_badge", "attempts_of", "suspect_warning"),
        ("args", "subject", "key"),
        ("created_at", "run_at"),
        ("started_at", "finished_at", "worker"),
    )
    optional_fields = {"error": "error", "progress": "bar", "cancel_asked_at": "cancel_asked_at", "result": "returned"}
    readonly_fields = ("state_badge", "attempts_of", "suspect_warning", "bar", "returned")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(key=term) | Q(subject=term) | Q(state=JobState.FAILED, error__icontains=term)
        if term.isdigit() and int(term) < 2**63:
            found |= Q(pk=int(term))
        return queryset.filter(found), False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("queues.retry_job")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("queues.cancel_job")

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("queues.discard_job")

    @admin.action(description="Retry selected failed or cancelled jobs", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._run(request, queryset, retry_jobs, "will run again", "failed or cancelled")

    @admin.action(description="Cancel selected jobs: running ones are asked to stop", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        chosen = list(queryset.order_by("pk").values_list("pk", flat=True))
        done = cancel_jobs(chosen, actor=request.user.get_username())
        self.message_user(request, f"{done}.", messages.SUCCESS)
        self._warn_of_unchanged(request, len(chosen) - len(done.waiting) - len(done.running), "waiting or running")

    @admin.action(description="Retry all failed jobs that share the error of a selected one", permissions=["retry"])
    def retry_same_error(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        failed = queryset.filter(state=JobState.FAILED).exclude(error="").order_by("error")
        actor = request.user.get_username()
        done = [
            job_id
            for error in failed.values_list("error", flat=True).distinct()
            for job_id in retry_matching(error=error, actor=actor)
        ]
        self.message_user(request, f"{rendering.job_count(len(done))} will run again.", messages.SUCCESS)

    @admin.action(description="Discard selected finished jobs", permissions=["discard"])
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._run(request, queryset, discard_jobs, "deleted", "finished")

    def _run(
        self, request: HttpRequest, jobs: QuerySet[Job], action: Callable[..., list[int]], done: str, needed: str
    ) -> None:
        chosen = list(jobs.order_by("pk").values_list("pk", flat=True))
        changed = action(chosen, actor=request.user.get_username())
        self.message_user(request, f"{rendering.job_count(len(changed))} {done}.", messages.SUCCESS)
        self._warn_of_unchanged(request, len(chosen) - len(changed), needed)

    def _warn_of_unchanged(self, request: HttpRequest, jobs: int, needed: str) -> None:
        if jobs:
            self.message_user(request, rendering.unchanged(jobs, needed), messages.WARNING)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The optional fields are shown only if this job has a value for them."""
        return (
            *self.fields,
            *(shown for name, shown in self.optional_fields.items() if getattr(obj, name, None) not in (None, "")),
        )

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        job: Any = self.get_object(request, object_id)
        buttons = self._buttons(request, job) if job is not None else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "buttons": buttons})

    def _buttons(self, request: HttpRequest, job: Job) -> list[tuple[str, str]]:
        """The actions that this job and this user allow, with their labels."""
        may_retry, may_cancel = self.has_retry_permission(request), self.has_cancel_permission(request)
        runs_on = job.state == JobState.ACTIVE and job.cancel_asked_at is None
        buttons = (
            ("retry_selected", "Retry with a new budget", job.state in RETRYABLE and may_retry),
            ("retry_same_error", "Retry all with this error", job.state == JobState.FAILED and job.error and may_retry),
            ("discard_selected", "Discard", job.state in FINAL and self.has_discard_permission(request)),
            ("cancel_selected", "Cancel", job.state == JobState.WAITING and may_cancel),
            ("cancel_selected", "Ask to stop", runs_on and may_cancel),
        )
        return [(action, label) for action, label, allowed in buttons if allowed]

    @admin.display(description="state", ordering="state")
    def state_badge(self, job: Job) -> SafeString:
        return rendering.state_badge(job)

    @admin.display(description="progress")
    def bar(self, job: Job) -> SafeString | str:
        return rendering.progress_bar(job)

    @admin.display(description="suspect")
    def suspect_warning(self, job: Job) -> SafeString | str:
        return rendering.suspect(job)

    @admin.display(description="result")
    def returned(self, job: Job) -> SafeString | str:
        return rendering.result(job)

    @admin.display(description="attempts")
    def attempts_of(self, job: Job) -> str:
        return f"{job.attempt} of {job.max_attempts}" + (f", {job.crashes} crashes" if job.crashes else "")

    @admin.display(description="when", ordering="run_at")
    def when(self, job: Job) -> str:
        """When it finished, started, or may start."""
        at = job.finished_at or (job.started_at if job.state == JobState.ACTIVE else job.run_at)
        return f"{localtime(at):%d %b %H:%M:%S}" if at else ""

    @admin.display(description="error")
    def error_start(self, job: Job) -> str:
        return Truncator(job.error).chars(80)
