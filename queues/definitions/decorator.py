"""`@job`: declare a background job beside the function that does it."""

from collections.abc import Callable
from typing import Any, Required, TypedDict, Unpack

from ..context import cancelled
from ..lifecycle.request import RunAfter
from . import registry
from .event import Event
from .job import JobDefinition
from .options import as_tuple, wrong_values

Events = Event | tuple[Event, ...]


class JobOptions(TypedDict, total=False):
    """What `@job(...)` takes."""

    queue: Required[str]
    name: str
    on: Events
    run_after: RunAfter
    key: str
    subject: str
    withdraw_on: Events
    on_failed: JobDefinition | None
    cpu: bool
    priority: int
    cron: str
    every: float | None


def declare_job(**options: Unpack[JobOptions]) -> Callable[[Callable[..., Any]], JobDefinition]:
    """Declare a job of `queue`; its name is `<app>.<function>` unless `name` is given.

    `key` and `subject` are templates over its arguments. `cpu` says whether it runs in a child process. `cron` (five
    fields, in the shop's zone) or `every` (seconds) makes it recur; such a job takes no arguments. The system checks
    report wrong options.
    """

    def declare(function: Callable[..., Any]) -> JobDefinition:
        known: dict[str, Any] = {
            option: value
            for option, value in options.items()
            if option in JobOptions.__annotations__ and option not in wrong_values(options)
        }
        known |= {option: as_tuple(known[option]) for option in ("on", "withdraw_on") if option in known}
        known["name"] = known.get("name") or f"{_app_of(function)}.{function.__name__}"
        declared = tuple(options.items())
        definition = JobDefinition(function=function, **{"queue": "", **known}, declared=declared)
        registry.register(definition)
        for event in definition.on:
            event.reactions.append(definition)
        for event in definition.withdraw_on:
            event.withdrawals.append(definition)
        return definition

    return declare


class JobDecorator:
    """`@job(...)` declares a job; inside a running one `job.cancelled()` says whether it should stop."""

    __call__ = staticmethod(declare_job)
    cancelled = staticmethod(cancelled)


job = JobDecorator()


def _app_of(function: Callable[..., Any]) -> str:
    package = function.__module__.removesuffix(".jobs")
    return package.rpartition(".")[2]
