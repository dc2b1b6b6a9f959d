"""System checks: a wrong declaration is found at the start and not at the first job."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from ..settings import current_mode, declared, mistakes_in, suggest
from . import registry
from .decorator import JobOptions
from .event import all_events
from .job import JobDefinition
from .options import wrong_values
from .recurrence import is_cron


@register("queues")
def check_queues(**_: Any) -> list[CheckMessage]:
    return [Error(m.text, hint=m.hint, id=m.id) for m in mistakes_in(settings.QUEUES)]


@register("queues")
def check_jobs(**_: Any) -> list[CheckMessage]:
    if mistakes_in(settings.QUEUES):
        return []
    found: list[CheckMessage] = []
    for definition in registry.all_jobs():
        found += _check_job(definition)
    return found


def _check_job(definition: JobDefinition) -> list[CheckMessage]:
    found = _check_options(definition)
    known = declared()
    if definition.queue not in known:
        hint = suggest(definition.queue, list(known))
        found.append(Error(f"job {definition.name}: no queue {definition.queue!r}.", hint=hint, id="queues.E010"))
    parameters = definition.parameters
    for event in definition.on:
        missing = [n for n, p in parameters.items() if p.default is p.empty and n not in event.arguments]
        if missing:
            text = f"job {definition.name}: event {event.name} has no {', '.join(missing)}."
            hint = f"{event.name} has the arguments {', '.join(event.arguments) or 'none'}."
            found.append(Error(text, hint=hint, id="queues.E011"))
    for option in ("key", "subject"):
        try:
            getattr(definition, option).format(**dict.fromkeys(parameters, "x"))
        except (KeyError, IndexError, ValueError) as error:
            text = f"job {definition.name}: {option} names {error}, which is not an argument."
            found.append(Error(text, hint=f"Arguments: {', '.join(parameters)}.", id="queues.E012"))
    return found + _check_recurrence(definition) + _check_withdrawals(definition) + _check_last_resort(definition)


def _check_options(definition: JobDefinition) -> list[CheckMessage]:
    options = dict(definition.declared)
    found: list[CheckMessage] = []
    for option in options:
        if option not in JobOptions.__annotations__:
            hint = suggest(option, list(JobOptions.__annotations__))
            found.append(Error(f"job {definition.name}: unknown option {option!r}.", hint=hint, id="queues.E021"))
    for option, wrong in wrong_values(options).items():
        found.append(Error(f"job {definition.name}: {option}: {wrong}.", hint="See docs/queues.md.", id="queues.E022"))
    return found


def _check_recurrence(definition: JobDefinition) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    name, every = definition.name, definition.every
    if definition.cron and not is_cron(definition.cron):
        text = f"job {name}: {definition.cron!r} is no cron line."
        found.append(Error(text, hint='Five fields, for example "0 9 * * *".', id="queues.E017"))
    if definition.cron and every is not None:
        found.append(Error(f"job {name} has both cron= and every=.", hint="Give it one of them.", id="queues.E019"))
    needed = [n for n, p in definition.parameters.items() if p.default is p.empty]
    if (definition.cron or every is not None) and needed:
        text = f"job {name} recurs, but nobody would give it {', '.join(needed)}."
        found.append(Error(text, hint="Give its arguments defaults.", id="queues.E020"))
    return found


def _check_withdrawals(definition: JobDefinition) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if definition.withdraw_on and not definition.key:
        text = f"job {definition.name}: withdraw_on needs key=, to know which job to withdraw."
        found.append(Error(text, hint='For example key="cancel-{order_id}".', id="queues.E013"))
    for event in definition.withdraw_on:
        try:
            definition.key_for(dict.fromkeys(event.arguments, "x"))
        except (KeyError, IndexError, ValueError):
            text = f"job {definition.name}: event {event.name} cannot make its key {definition.key!r}."
            hint = f"{event.name} has the arguments {', '.join(event.arguments) or 'none'}."
            found.append(Error(text, hint=hint, id="queues.E015"))
    return found


def _check_last_resort(definition: JobDefinition) -> list[CheckMessage]:
    if definition.on_failed is None:
        return []
    wanted = definition.on_failed.parameters
    missing = [name for name, p in wanted.items() if p.default is p.empty and name not in definition.parameters]
    if not missing:
        return []
    text = f"job {definition.name}: its on_failed job {definition.on_failed.name} wants {', '.join(missing)}."
    hint = f"It gets those of {', '.join(definition.parameters) or 'no arguments'} that it names."
    return [Error(text, hint=hint, id="queues.E016")]


@register("queues")
def check_event_names(**_: Any) -> list[CheckMessage]:
    names = [event.name for event in all_events()]
    doubles = sorted({name for name in names if names.count(name) > 1})
    hint = "Names of events are unique over all apps."
    return [Error(f"event {name} is declared twice.", hint=hint, id="queues.E014") for name in doubles]


@register("queues", deploy=True)
def check_mode(**_: Any) -> list[CheckMessage]:
    mode = current_mode()
    if not mode.runs_in_web:
        return []
    text = f"WORKER_MODE is {mode.name}: jobs run in the web processes."
    return [Warning(text, hint="Set QUEUE_REDIS_URL and WORKER_MODE=rq, and start rqworker.", id="queues.W001")]
