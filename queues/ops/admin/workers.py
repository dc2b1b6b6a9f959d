"""Worker processes and the audit in the admin: read-only."""

from django.contrib import admin

from ...models import AuditEntry, Worker
from .lists import LongList, ReadOnlyAdmin


@admin.register(Worker)
class WorkerAdmin(LongList, ReadOnlyAdmin):
    """Processes that run jobs, with their last heartbeat."""

    list_display = ("id", "name", "host", "pid", "queues", "started_at", "beat_at", "stopped_at")
    list_filter = (("stopped_at", admin.EmptyFieldListFilter),)


@admin.register(AuditEntry)
class AuditAdmin(LongList, ReadOnlyAdmin):
    """Who did what with jobs, queues and recurring jobs."""

    list_display = ("at", "actor", "action", "job_id", "detail")
    search_fields = ("=job_id", "actor")
