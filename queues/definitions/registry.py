"""Every job that this process may run, by name. A message can name nothing else."""

import logging
from collections.abc import Sequence

from ..errors import UnknownJob
from ..lifecycle.child_rule import ChildRule
from ..lifecycle.request import JobRequest
from ..lifecycle.verdict import Ended
from ..settings import Queue, declared, queue_named
from ..states import JobState
from .job import JobDefinition

log = logging.getLogger(__name__)

_jobs: dict[str, JobDefinition] = {}


def register(definition: JobDefinition) -> None:
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


def get(name: str) -> JobDefinition:
    """The job of that name; UnknownJob if there is none."""
    try:
        return _jobs[name]
    except KeyError:
        raise UnknownJob(f"no job named {name!r} is registered; known: {', '.join(sorted(_jobs)) or 'none'}") from None


def all_jobs() -> list[JobDefinition]:
    return [_jobs[name] for name in sorted(_jobs)]


def recurring() -> list[JobDefinition]:
    """The jobs that tick by themselves."""
    return [definition for definition in all_jobs() if definition.cron or definition.every]


def names() -> list[str]:
    return list(_jobs)


def runs_in_child(name: str, queue: Queue) -> bool:
    """Whether jobs of this name run in a child process when they come through this queue."""
    cpu = get(name).cpu
    return queue.cpu if cpu is None else cpu


def child_rule() -> ChildRule:
    """Which jobs run in child processes, as data for the ledger."""
    return ChildRule(
        in_child=[definition.name for definition in all_jobs() if definition.cpu],
        in_thread=[definition.name for definition in all_jobs() if definition.cpu is False],
        cpu_queues=[queue.name for queue in declared().values() if queue.cpu],
    )


def follow_ups(ended: Ended) -> Sequence[JobRequest]:
    """What the declaration of a job lets follow its end: its `on_failed` job, once it has failed for good."""
    definition = _jobs.get(ended.name)
    last_resort = definition and definition.on_failed
    if last_resort is None or ended.state != JobState.FAILED:
        return ()
    try:
        args = {name: ended.args[name] for name in last_resort.parameters if name in ended.args}
        request = last_resort.request(args, subject=ended.subject)
        queue_named(request.queue)
    except Exception:
        log.exception("%s could not be enqueued after #%d failed for good", last_resort.name, ended.id)
        return ()
    return (request,)
