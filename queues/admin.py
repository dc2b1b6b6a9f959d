"""The face that Django's admin looks for."""

from .ops.admin.jobs import AuditAdmin, JobAdmin, WorkerAdmin
from .ops.admin.queues import QueueAdmin
from .ops.admin.schedules import ScheduleAdmin

__all__ = ["AuditAdmin", "JobAdmin", "QueueAdmin", "ScheduleAdmin", "WorkerAdmin"]
