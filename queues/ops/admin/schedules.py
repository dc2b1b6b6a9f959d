"""Recurring jobs in the admin: their last and next ticks; run them now, switch them on and off."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ...definitions import registry
from ...maintenance import recurring
from ...models import Schedule
from .. import schedules
from .lists import ReadOnlyAdmin, warned


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Every declared recurring job; actions run the selected ones now, or switch them on or off."""

    list_display = ("name", "recurs", "state", "last_tick_at", "next_tick_at", "jobs")
    list_display_links = None
    ordering = ("name",)
    actions = ("run_selected", "switch_on_selected", "switch_off_selected")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Create the rows of declared recurring jobs that have none yet."""
        recurring.make_rows()
        return super().changelist_view(request, {"title": "Recurring jobs", **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(name__in=[job.name for job in registry.recurring()])

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("queues.steer_schedule")

    @admin.action(description="Run selected recurring jobs now", permissions=["steer"])
    def run_selected(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        for name in _names(queryset):
            job_id, is_new = schedules.run_schedule_now(name, actor=request.user.get_username())
            job = format_html('<a href="{}">#{}</a>', reverse("admin:queues_job_change", args=[job_id]), job_id)
            text = "Enqueued {1}: job {0}." if is_new else "Job {0} of {1} has not ended; none was enqueued."
            self.message_user(request, format_html(text, job, name), messages.SUCCESS if is_new else messages.WARNING)

    @admin.action(description="Switch selected recurring jobs on", permissions=["steer"])
    def switch_on_selected(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        self._switch(request, queryset, on=True)

    @admin.action(description="Switch selected recurring jobs off", permissions=["steer"])
    def switch_off_selected(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        self._switch(request, queryset, on=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Schedule], *, on: bool) -> None:
        actor = request.user.get_username()
        changed = [name for name in _names(queryset) if schedules.switch_schedule(name, on, actor=actor)]
        text = f"Switched {'on' if on else 'off'}: {', '.join(changed) or 'none'}"
        self.message_user(request, text, messages.SUCCESS)

    @admin.display(description="when")
    def recurs(self, schedule: Schedule) -> str:
        return schedules.recurrence_text(schedules.recurring_job(schedule.name))

    @admin.display(description="state")
    def state(self, schedule: Schedule) -> SafeString | str:
        return "on" if schedule.enabled else warned("switched off")

    @admin.display(description="last tick", empty_value="never")
    def last_tick_at(self, schedule: Schedule) -> str:
        return schedules.in_shop_zone(schedule.ticked_at)

    @admin.display(description="next tick")
    def next_tick_at(self, schedule: Schedule) -> str:
        return schedules.next_tick(schedule)

    @admin.display(description="jobs")
    def jobs(self, schedule: Schedule) -> SafeString:
        return format_html('<a href="{}?name={}">jobs</a>', reverse("admin:queues_job_changelist"), schedule.name)


def _names(queryset: QuerySet[Schedule]) -> list[str]:
    return list(queryset.order_by("name").values_list("name", flat=True))
