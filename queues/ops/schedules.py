"""Recurring jobs as operators see, run and switch them; each action writes an audit entry."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import DateTimeField, F, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from .. import ledger
from ..definitions import registry
from ..definitions.job import JobDefinition
from ..definitions.recurrence import last_due, next_due, now
from ..errors import UnknownSchedule
from ..maintenance import recurring
from ..models import AuditEntry, Job, Schedule
from ..settings import suggest
from ..states import LIVE

UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def recurring_job(name: str) -> JobDefinition:
    """The recurring job of that name; UnknownSchedule with a suggestion if there is none."""
    known = {definition.name: definition for definition in registry.recurring()}
    if name not in known:
        hint = suggest(name, known) if known else "None is declared."
        raise UnknownSchedule(f"no recurring job named {name!r}. {hint}")
    return known[name]


def declared_schedules() -> QuerySet[Schedule]:
    """The rows of all declared recurring jobs, by name; missing ones are created."""
    recurring.make_rows()
    names = [definition.name for definition in registry.recurring()]
    return Schedule.objects.filter(name__in=names).order_by("name")


def run_schedule_now(name: str, *, actor: str) -> tuple[int, bool]:
    """Enqueue a recurring job at once, even if it is switched off; the job's id, and whether it is a new job.

    While another job is live under its key, none is enqueued, and the id is that of the live job. A job without a key
    gets one, so that it runs by hand once at a time. Its ticks are not changed.
    """
    request = recurring_job(name).request({})
    request = replace(request, key=request.key or f"{name}@hand", run_after=None)
    with transaction.atomic():
        _lock(name)
        live = Job.objects.filter(key=request.key, state__in=LIVE).first()
        if live is not None:
            return live.pk, False
        job_id = ledger.enqueue([request])[0]
        AuditEntry.objects.create(actor=actor, action="run now", job_id=job_id, detail=f"schedule {name}")
    return job_id, True


def switch_schedule(name: str, on: bool, *, actor: str) -> bool:
    """Switch a recurring job on or off; False if it was so already.

    Switched on again, it ticks at its next time; the times that it missed are not made up for.
    """
    definition = recurring_job(name)
    with transaction.atomic():
        _lock(name)
        passed = Value(last_due(definition, now()), DateTimeField())
        since = Greatest(F("last_tick"), passed) if on else F("last_tick")
        if not Schedule.objects.filter(name=name, enabled=not on).update(enabled=on, last_tick=since):
            return False
        AuditEntry.objects.create(actor=actor, action=f"switch {'on' if on else 'off'}", detail=f"schedule {name}")
    return True


def _lock(name: str) -> None:
    recurring.make_rows()
    Schedule.objects.select_for_update().get(name=name)


def recurrence_text(definition: JobDefinition) -> str:
    """Its cron line, or how often it runs, such as "every 2 h"."""
    every = definition.every or 0
    size, unit = next(((size, unit) for size, unit in UNITS if every % size == 0), (1, "s"))
    return definition.cron or f"every {every / size:g} {unit}"


def next_tick(schedule: Schedule) -> str:
    """The time of the next tick, in the shop's zone; empty if it is switched off."""
    return in_shop_zone(next_due(recurring_job(schedule.name), now())) if schedule.enabled else ""


def in_shop_zone(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%a %d %b %H:%M:%S %Z}" if at else ""
