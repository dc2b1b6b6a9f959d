"""WORKER_MODE: what carries jobs to workers, and which processes run them.

A new mode is a row of this table and a broker below queues.brokers.
"""

from dataclasses import dataclass

from django.conf import settings

from .queue import suggest


@dataclass(frozen=True)
class Mode:
    """One value of WORKER_MODE."""

    name: str
    broker: str
    """The class of its broker: a dotted name below queues.brokers."""
    work: str | None = "commands.work.run_worker"
    """What `manage.py work` calls: a dotted name below queues.management. None: nothing runs jobs in this mode."""
    aliases: tuple[str, ...] = ()
    needs_redis_url: bool = False
    runs_in_web: bool = False
    """Whether every web process runs jobs."""


RQ = Mode("rq", broker="rq.broker.RqBroker", work="rq.worker.run_worker", aliases=("bull-queue",), needs_redis_url=True)
IN_PROCESS = Mode("in-process", broker="in_process.InProcessBroker", runs_in_web=True)
NONE = Mode("none", broker="none.NoBroker", work=None)

MODES = {mode.name: mode for mode in (RQ, IN_PROCESS, NONE)}
NOT_YET_BUILT = ("sqs", "oci-queue")


def mode_named(name: str) -> Mode | None:
    """The mode of that name or alias."""
    return next((mode for mode in MODES.values() if name in (mode.name, *mode.aliases)), None)


def worker_mode(asked: str, redis_url: str) -> str:
    """The name of the mode that WORKER_MODE asks for; ValueError with a sentence for a wrong one."""
    if not asked:
        return (RQ if redis_url else IN_PROCESS).name
    if asked in NOT_YET_BUILT:
        raise ValueError(f"{asked} is not built yet; expected one of {', '.join(MODES)}.")
    mode = mode_named(asked)
    if mode is None:
        raise ValueError(f"{asked!r} is unknown; expected one of {', '.join(MODES)}. {suggest(asked, MODES)}")
    return mode.name


def current_mode() -> Mode:
    """The mode of settings.WORKER_MODE."""
    return MODES[settings.WORKER_MODE]
