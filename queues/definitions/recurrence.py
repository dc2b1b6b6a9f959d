"""Recurring jobs: `@job(cron="0 9 * * *")` in the shop's zone, or `every=3600` seconds: when they are due."""

from datetime import datetime, timedelta

from croniter import croniter
from django.conf import settings
from django.utils import timezone

from .job import JobDefinition

EPOCH = datetime.fromtimestamp(0, tz=timezone.get_default_timezone())


def now() -> datetime:
    """The current time, aware; tests shift it in every process by QUEUE_CLOCK_SHIFT seconds."""
    return timezone.now() + timedelta(seconds=settings.QUEUE_CLOCK_SHIFT)


def is_cron(text: str) -> bool:
    """Whether this is a cron line of five fields."""
    return len(text.split()) == 5 and croniter.is_valid(text)


def last_due(definition: JobDefinition, now: datetime) -> datetime:
    """The latest moment at which the job was to run, at or before `now`."""
    if definition.cron:
        start = now.astimezone(timezone.get_default_timezone()).replace(microsecond=0) + timedelta(seconds=1)
        due: datetime = croniter(definition.cron, start).get_prev(datetime)
        return due
    every = timedelta(seconds=definition.every or 0)
    return EPOCH + (now - EPOCH) // every * every


def next_due(definition: JobDefinition, now: datetime) -> datetime:
    """The first moment after `now` at which the job is to run."""
    if definition.cron:
        due: datetime = croniter(definition.cron, now.astimezone(timezone.get_default_timezone())).get_next(datetime)
        return due
    return last_due(definition, now) + timedelta(seconds=definition.every or 0)
