"""Every job that this process may run, by name. A message can name nothing else."""

from typing import TYPE_CHECKING

from ..errors import UnknownJob

if TYPE_CHECKING:
    from .job import JobDefinition

_jobs: dict[str, "JobDefinition"] = {}


def register(definition: "JobDefinition") -> None:
    """Add a job; a second one under the same name is a programming error."""
    known = _jobs.get(definition.name)
    if known is not None and known.function.__module__ != definition.function.__module__:
        raise ValueError(f"two jobs are named {definition.name!r}: give one of them name=")
    _jobs[definition.name] = definition


def forget(name: str) -> None:
    """Take a job out again, out of its events too (tests)."""
    definition = _jobs.pop(name, None)
    if definition is not None:
        for event in definition.on:
            event.reactions.remove(definition)
        for event in definition.withdraw_on:
            event.withdrawals.remove(definition)


def get(name: str) -> "JobDefinition":
    """The job of that name; UnknownJob if there is none."""
    try:
        return _jobs[name]
    except KeyError:
        raise UnknownJob(f"no job named {name!r} is registered; known: {', '.join(sorted(_jobs)) or 'none'}") from None


def all_jobs() -> list["JobDefinition"]:
    return [_jobs[name] for name in sorted(_jobs)]


def recurring() -> list["JobDefinition"]:
    """The jobs that tick by themselves."""
    return [definition for definition in all_jobs() if definition.cron or definition.every]


def names() -> list[str]:
    return list(_jobs)
