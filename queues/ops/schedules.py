"""Recurring jobs as operators see, run and switch them; each action writes an audit entry."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import DateTimeField, F, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from .. import ledger
from ..definitions import clock, registry
from ..definitions import recurrence as recurring
from ..definitions.job import JobDefinition
from ..errors import UnknownSchedule
from ..models import AuditEntry, Job, Schedule
from ..settings import suggest
from ..states import LIVE

UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def recurring_job(name: str) -> JobDefinition:
    """The recurring job of that name; UnknownSchedule with a suggestion if there is none."""
    known = {definition.name: definition for definition in registry.recurring()}
    if name not in known:
        told = f"{suggest(name, known)}" if known else "None is declared."
        raise UnknownSchedule(f"no recurring job named {name!r}. {told}")
    return known[name]


def declared_schedules() -> QuerySet[Schedule]:
    """The rows of all declared recurring jobs, by name; missing ones are created."""
    recurring.make_rows()
    names = [definition.name for definition in registry.recurring()]
    return Schedule.objects.filter(name__in=names).order_by("name")


def run_schedule_now(name: str, *, actor: str) -> tuple[int, bool]:
    """Enqueue a recurring job at once, also one that is switched off: the job's id, and whether it is a new one.

    It is not while another lives under its key; a job without a key of its own runs by hand once at a time.
    Its ticks go on as before.
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
    """Let a recurring job tick, or not; False if it was switched so already.

    Switched on again it waits for its next time: what it missed is not made up for.
    """
    definition = recurring_job(name)
    with transaction.atomic():
        _lock(name)
        passed = Value(recurring.last_due(definition, clock.now()), DateTimeField())
        since = Greatest(F("last_tick"), passed) if on else F("last_tick")
        if not Schedule.objects.filter(name=name, enabled=not on).update(enabled=on, last_tick=since):
            return False
        AuditEntry.objects.create(actor=actor, action=f"switch {'on' if on else 'off'}", detail=f"schedule {name}")
    return True


def _lock(name: str) -> None:
    recurring.make_rows()
    Schedule.objects.select_for_update().get(name=name)


def recurrence(definition: JobDefinition) -> str:
    """Its cron line, or how often it runs: "every 2 h"."""
    every = definition.every or 0
    size, unit = next(((size, unit) for size, unit in UNITS if every % size == 0), (1, "s"))
    return definition.cron or f"every {every / size:g} {unit}"


def next_tick(schedule: Schedule) -> str:
    """When it ticks next, in the shop's zone; nothing if it is switched off."""
    return in_shop_zone(recurring.next_due(recurring_job(schedule.name), clock.now())) if schedule.enabled else ""


def in_shop_zone(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%a %d %b %H:%M:%S %Z}" if at else ""
