"""Django's admin imports this module; the pages are in ops/admin."""

from .ops.admin.jobs import JobAdmin
from .ops.admin.queues import QueueAdmin
from .ops.admin.schedules import ScheduleAdmin
from .ops.admin.workers import AuditAdmin, WorkerAdmin

__all__ = ["AuditAdmin", "JobAdmin", "QueueAdmin", "ScheduleAdmin", "WorkerAdmin"]
