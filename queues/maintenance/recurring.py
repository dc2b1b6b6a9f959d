"""Enqueues recurring jobs when they are due.

A schedule is a row with the time of its last tick. Every worker checks the schedules; one transaction moves the last
tick on, by a conditional UPDATE, and enqueues the job. So a tick happens once over any number of processes, never again
when the clock is set back, and once after a pause, however many were missed. A job with a key of its own is not
enqueued again while it is live; the key of the others is their tick.
"""

import logging
from dataclasses import replace
from datetime import UTC, datetime

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from .. import ledger
from ..definitions import registry
from ..definitions.job import JobDefinition
from ..definitions.recurrence import last_due, now
from ..models import Schedule

log = logging.getLogger(__name__)


def make_rows() -> None:
    """Let every declared recurring job have its row; one that is new ticks at its next time."""
    at = now()
    rows = [Schedule(name=d.name, last_tick=last_due(d, at)) for d in registry.recurring()]
    Schedule.objects.bulk_create(rows, ignore_conflicts=True)


def tick() -> list[str]:
    """Enqueue every recurring job whose time has come; their names.

    A schedule that is seen for the first time ticks at its next time.
    """
    at = now()
    due = {definition: last_due(definition, at) for definition in registry.recurring()}
    known = dict(Schedule.objects.values_list("name", "last_tick"))
    if not known.keys() >= {definition.name for definition in due}:
        make_rows()
    return [
        definition.name
        for definition, moment in due.items()
        if known.get(definition.name, moment) < moment and _tick(definition, moment)
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
