"""Recurring jobs: `@job(cron="0 9 * * *")` in the shop's zone, or `every=3600` seconds.

A schedule is a row with its last tick. Every worker looks; the conditional UPDATE that moves the last tick on
and the enqueueing are one transaction. So a tick happens once over any number of processes, never again when
the clock is set back, and once after a pause, however many were missed. A job with a key of its own is not
enqueued again while it is live; others bear their tick as their key.
"""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from croniter import croniter
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from .. import ledger
from ..models import Schedule
from . import clock, registry
from .job import JobDefinition

log = logging.getLogger(__name__)

EPOCH = datetime.fromtimestamp(0, tz=timezone.get_default_timezone())


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


def make_rows() -> None:
    """Let every declared recurring job have its row; one that is new ticks at its next time."""
    now = clock.now()
    rows = [Schedule(name=d.name, last_tick=last_due(d, now)) for d in registry.recurring()]
    Schedule.objects.bulk_create(rows, ignore_conflicts=True)


def tick() -> list[str]:
    """Enqueue every recurring job whose time has come; their names.

    A schedule that is seen for the first time ticks at its next time.
    """
    now = clock.now()
    due = {definition: last_due(definition, now) for definition in registry.recurring()}
    known = dict(Schedule.objects.values_list("name", "last_tick"))
    if not known.keys() >= {definition.name for definition in due}:
        make_rows()
    return [
        definition.name
        for definition, at in due.items()
        if known.get(definition.name, at) < at and _tick(definition, at)
    ]


def _tick(definition: JobDefinition, at: datetime) -> bool:
    with transaction.atomic():
        behind = Schedule.objects.filter(name=definition.name, enabled=True, last_tick__lt=at)
        if not behind.update(last_tick=at, ticked_at=Now()):
            return False
        request = definition.request({})
        ledger.enqueue(
            [replace(request, key=request.key or f"{definition.name}@{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")]
        )
    log.info("%s ticked for %s", definition.name, timezone.localtime(at))
    return True
