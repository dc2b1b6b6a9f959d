"""From events to webhooks. What is told are ids and states; who wants more asks the API."""

from datetime import timedelta
from uuid import uuid4

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.services import webhooks
from notifications.webhook_types import declare
from orders.models import Order
from queues.context import current_job
from queues.models import Job
from queues.states import JobState

QUEUE = "webhook-out"
JOB_EVENTS = {
    JobState.COMPLETED: declare("job.completed", "a background job was done"),
    JobState.FAILED: declare("job.failed", "a background job was given up"),
}
OVERLAP, REST, BATCH = timedelta(seconds=60), timedelta(seconds=2), 500
"""A job's end may become visible a little after its time; every look goes back so far, and leaves the newest out."""


def tell_of_order(event: str, order_id: int) -> None:
    """Once for each event that happened, however often its job runs."""
    running = current_job.get()
    order = Order.objects.get(pk=order_id)
    data = {"order_id": order_id, "state": order.state, "total_paise": order.total_paise, "currency": order.currency}
    webhooks.publish(event, data, source=f"job-{running.claim.id if running else uuid4()}")


def tell_of_jobs() -> int:
    """Tell endpoints that asked for it of jobs that ended since the last look; how many times."""
    asked = WebhookEndpoint.objects.filter(is_active=True, events__overlap=list(JOB_EVENTS.values()))
    return sum(_tell_of_jobs(endpoint) for endpoint in asked)


def _tell_of_jobs(endpoint: WebhookEndpoint) -> int:
    states = [state for state, event in JOB_EVENTS.items() if event in endpoint.events]
    until = timezone.now() - REST
    since = max(endpoint.jobs_told_until - OVERLAP, endpoint.created_at)
    ended = Job.objects.filter(state__in=states, finished_at__gte=since, finished_at__lte=until).exclude(queue=QUEUE)
    jobs = list(ended.exclude(Exists(_told(endpoint))).order_by("finished_at", "pk")[:BATCH])
    told = [webhooks.tell([endpoint], JOB_EVENTS[JobState(job.state)], _about(job), _source(job)) for job in jobs]
    if len(jobs) < BATCH:
        WebhookEndpoint.objects.filter(pk=endpoint.pk, jobs_told_until__lt=until).update(jobs_told_until=until)
    return sum(map(len, told))


def _told(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """What was told of a job already, for a subquery; the same words as `_source`."""
    pk, attempt = (Cast(OuterRef(column), CharField()) for column in ("pk", "attempt"))
    source = Concat(Value("ended-"), pk, Value("-"), attempt)
    return WebhookDelivery.objects.filter(endpoint=endpoint, source=source)


def _about(job: Job) -> dict[str, object]:
    """No arguments and no error text: they may say what is nobody else's business."""
    return {"job_id": job.pk, "name": job.name, "queue": job.queue, "subject": job.subject, "state": job.state}


def _source(job: Job) -> str:
    return f"ended-{job.pk}-{job.attempt}"
