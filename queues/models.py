"""The engine's tables. `queues/ledger/` alone writes jobs and the outbox."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .lifecycle.execution import LONGEST_NOTE
from .states import LIVE, JobState, Outcome


class Worker(models.Model):
    """A process that runs jobs. Its heartbeat is the lease of every job it holds."""

    name = models.CharField(max_length=200)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    queues = models.JSONField(default=list)
    started_at = models.DateTimeField(db_default=Now())
    beat_at = models.DateTimeField(db_default=Now())
    draining_at = models.DateTimeField(null=True, blank=True, help_text="claims nothing more, lets what runs end")
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=("beat_at",), name="worker_living", condition=Q(stopped_at=None)),)

    def __str__(self) -> str:
        return f"{self.name} ({self.host}:{self.pid})"


class Job(models.Model):
    """One unit of background work, written in the transaction that asked for it."""

    name = models.CharField(max_length=200)
    queue = models.CharField(max_length=63)
    args = models.JSONField(default=dict)
    subject = models.CharField(max_length=200, blank=True, default="")
    key = models.CharField(max_length=200, null=True, blank=True)
    priority = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.WAITING)
    attempt = models.PositiveIntegerField(default=0, help_text="attempts spent")
    max_attempts = models.PositiveIntegerField()
    crashes = models.PositiveIntegerField(default=0, help_text="times a process died with this job running")
    lone_crashes = models.PositiveIntegerField(default=0, help_text="of these, alone in a process of its own")
    suspect = models.BooleanField(default=False, help_text="next runs alone in a process of its own")
    offer = models.PositiveIntegerField(
        default=0, help_text="number of the offer under which it was claimed or withdrawn"
    )
    token = models.UUIDField(null=True, editable=False)
    worker = models.ForeignKey(Worker, models.SET_NULL, null=True, blank=True, db_constraint=False, related_name="jobs")
    created_at = models.DateTimeField(db_default=Now())
    run_at = models.DateTimeField(help_text="not before")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    progress = models.PositiveSmallIntegerField(null=True, blank=True, help_text="percent, as the job reported it")
    progress_note = models.CharField(max_length=LONGEST_NOTE, blank=True, db_default="")
    result = models.JSONField(null=True, blank=True, help_text="what its function returned")
    cancel_asked_at = models.DateTimeField(null=True, blank=True, help_text="asked to stop while it ran")

    class Meta:
        constraints = (
            models.UniqueConstraint("key", name="job_live_key", condition=Q(state__in=LIVE, key__isnull=False)),
            models.CheckConstraint(name="job_state_known", condition=Q(state__in=JobState.values)),
        )
        indexes = (
            models.Index(fields=("subject",), name="job_subject", condition=~Q(subject="")),
            models.Index(fields=("worker", "queue"), name="job_active", condition=Q(state=JobState.ACTIVE)),
            models.Index(fields=("state", "-id"), name="job_not_completed", condition=~Q(state=JobState.COMPLETED)),
            models.Index(fields=("queue", "state", "finished_at"), name="job_finished", condition=~Q(state__in=LIVE)),
            models.Index(fields=("key",), name="job_key", condition=Q(key__isnull=False)),
        )
        default_permissions = ("view",)
        permissions = (
            ("retry_job", "Can retry jobs"),
            ("cancel_job", "Can cancel jobs"),
            ("discard_job", "Can discard finished jobs"),
        )

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"


class Outbox(models.Model):
    """A waiting job on its way to a worker: from the commit that made it wait to the claim.

    A job waits if and only if it has a row here that is not withdrawn. A withdrawn row stays until its
    message is out of the broker.
    """

    job = models.OneToOneField(Job, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="outbox_row")
    queue = models.CharField(max_length=63)
    priority = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField()
    offer = models.PositiveIntegerField(default=0)
    offered_at = models.DateTimeField(null=True)
    withdrawn = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = (
            models.Index(
                fields=("queue", "-priority", "due_at", "job"), name="outbox_to_offer", condition=Q(offered_at=None)
            ),
            models.Index(fields=("queue", "offered_at"), name="outbox_offered", condition=Q(offered_at__isnull=False)),
            models.Index(fields=("job",), name="outbox_withdrawn", condition=Q(withdrawn=True)),
            models.Index(fields=("queue", "due_at"), name="outbox_due", condition=Q(withdrawn=False)),
        )


class Tally(models.Model):
    """A change in how many jobs of a queue are in a state; how many there are is the sum over the rows.

    A trigger on `Job` writes one row for each statement and state, so that no two statements wait for each other;
    `fold` of `ledger/counts.py` merges them.
    """

    queue = models.CharField(max_length=63)
    state = models.CharField(max_length=10)
    jobs = models.BigIntegerField()

    class Meta:
        default_permissions = ()


class Attempt(models.Model):
    """How one run of a job ended; the traceback has no values of variables."""

    job = models.ForeignKey(Job, models.CASCADE, db_constraint=False, related_name="attempts")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    worker = models.CharField(max_length=200, blank=True, default="")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(db_default=Now())
    error = models.TextField(blank=True, default="")
    traceback = models.TextField(blank=True, default="")
    log = models.TextField(blank=True, db_default="")

    class Meta:
        default_permissions = ()
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.outcome}"


class AuditEntry(models.Model):
    """Who did what with which job, and when. An action on a whole queue names it in `detail`."""

    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=40)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, db_constraint=False, related_name="audit")
    detail = models.TextField(blank=True, default="")

    class Meta:
        default_permissions = ("view",)
        ordering = ("-pk",)
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.actor}: {self.action}"


class Schedule(models.Model):
    """A recurring job: which of its times is done with, and when it last ticked; switched off, it is passed over."""

    name = models.CharField(max_length=200, primary_key=True)
    last_tick = models.DateTimeField(help_text="no time up to this one is to come")
    ticked_at = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)

    class Meta:
        default_permissions = ("view",)
        permissions = (("steer_schedule", "Can run, switch on and switch off recurring jobs"),)
        verbose_name = "recurring job"

    def __str__(self) -> str:
        return self.name


class QueueState(models.Model):
    """What all processes share about a queue. No row: it runs, and nothing of its rate is spent."""

    name = models.CharField(max_length=63, primary_key=True)
    paused_at = models.DateTimeField(null=True, blank=True, help_text="nothing is offered or claimed until resumed")
    spent_until = models.DateTimeField(
        null=True, editable=False, help_text="the starts of its rate are spent up to here"
    )
    late_verdicts = models.PositiveBigIntegerField(
        db_default=0, default=0, editable=False, help_text="verdicts refused because the job was freed meanwhile"
    )

    class Meta:
        default_permissions = ("view",)
        permissions = (("pause_queue", "Can pause and resume queues"),)
        ordering = ("name",)
        verbose_name = "queue"

    def __str__(self) -> str:
        return self.name


class Chore(models.Model):
    """A piece of housekeeping that one process at a time does, every so often."""

    name = models.CharField(max_length=63, primary_key=True)
    next_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
