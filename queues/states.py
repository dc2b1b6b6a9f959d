"""The states of a job, as data.

waiting -> active -> completed | waiting (retry) | cancelled | failed
failed | cancelled -> waiting (an operator's retry)
"""

from django.db.models import TextChoices


class JobState(TextChoices):
    WAITING = "waiting"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (JobState.WAITING, JobState.ACTIVE)
FINAL = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)
RETRYABLE = (JobState.FAILED, JobState.CANCELLED)


class Outcome(TextChoices):
    """How one attempt ended."""

    COMPLETED = "completed"
    RETRY = "retry"
    SNOOZED = "snoozed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    GIVEN_BACK = "given back"
