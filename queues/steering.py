"""What an operator may do with jobs; every act leaves an audit line."""

from collections.abc import Sequence

from django.db import transaction

from . import ledger
from .models import AuditEntry


def retry_jobs(job_ids: Sequence[int], *, actor: str) -> list[int]:
    """Let failed or cancelled jobs run again with a new budget of attempts; the ids of those that will."""
    with transaction.atomic():
        return _audited("retry", ledger.retry(job_ids), actor)


def cancel_jobs(job_ids: Sequence[int], *, actor: str) -> list[int]:
    """Cancel waiting and delayed jobs; the ids of those that were. Running ones are left alone."""
    with transaction.atomic():
        return _audited("cancel", ledger.cancel(job_ids, reason=f"cancelled by {actor}"), actor)


def _audited(action: str, job_ids: list[int], actor: str) -> list[int]:
    AuditEntry.objects.bulk_create(AuditEntry(actor=actor, action=action, job_id=job_id) for job_id in job_ids)
    return job_ids
