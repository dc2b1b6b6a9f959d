"""rq's management commands. An option that they would ignore, or a value that would break them, is refused.

A refusal is a usage error: exit code 2 and a sentence.
"""

import os
from argparse import ArgumentTypeError
from collections.abc import Callable
from importlib import import_module
from math import inf
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django_rq.management.commands import rqscheduler as stock_scheduler
from django_rq.management.commands import rqworker as stock_worker

from ...errors import UnfitBroker, UnknownQueue
from ...postgres.outages import OUTAGE
from ...settings import DEFAULT_QUEUE, current_mode, queue_named
from ...settings.modes import RQ
from ...supervisor import supervised

stock_pool = import_module("django_rq.management.commands.rqworker-pool")

UNUSABLE_OPTIONS = {
    "worker_class": "the worker class is BharatMart's",
    "queue_class": "the queue class is BharatMart's",
    "job_class": "the job class is rq's",
    "serializer": "messages are JSON",
    "with_scheduler": "run `manage.py rqscheduler` beside the workers",
}


def at_least(least: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """An argparse type: a number of at least `least`."""

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            raise ArgumentTypeError(f"expected a number, got {text!r}") from None
        if not least <= value < inf:
            raise ArgumentTypeError(f"expected at least {least}, got {text}")
        return value

    parse.__name__ = "number"
    return parse


def refuse_other_modes(command: str) -> None:
    if current_mode() is not RQ:
        raise CommandError(
            f"{command} needs WORKER_MODE=rq, but WORKER_MODE is {settings.WORKER_MODE!r}; "
            "set WORKER_MODE=rq and QUEUE_REDIS_URL, or run `manage.py work`.",
            returncode=2,
        )


def refuse_unusable_options(options: dict[str, Any]) -> None:
    for option, reason in UNUSABLE_OPTIONS.items():
        if options.get(option):
            raise CommandError(f"--{option.replace('_', '-')} cannot be used: {reason}.", returncode=2)


def refuse_unknown_queues(names: tuple[str, ...]) -> None:
    for name in names:
        if name == DEFAULT_QUEUE and len(names) == 1:
            continue
        try:
            queue_named(name)
        except UnknownQueue as error:
            raise CommandError(str(error), returncode=2) from None


def retype(parser: CommandParser, **types: Callable[[str], Any]) -> None:
    """Give arguments of rq's command a stricter type."""
    for action in parser._actions:
        if action.dest in types:
            action.type = types[action.dest]


class RqWorkerCommand(stock_worker.Command):
    """Run jobs: `rqworker email`, or all queues of WORKER_TYPE when none is named.

    The jobs run in a child process, which this one replaces if it is killed or if a job hangs in it.
    """

    help = "Runs jobs of the named queues (of WORKER_TYPE's queues when none is named)."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(serializer=None)
        retype(parser, max_jobs=at_least(1, int), max_idle_time=at_least(1, int), worker_ttl=at_least(20, int))

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_other_modes("rqworker")
        refuse_unusable_options(options)
        refuse_unknown_queues(args)
        left = supervised.work_in_child(options["max_jobs"])
        if options["pid"]:
            Path(options["pid"]).expanduser().write_text(str(os.getppid()))
        try:
            super().handle(*args, **{**options, "pid": None, "max_jobs": left})
        except (UnfitBroker, ValueError) as error:
            raise CommandError(str(error)) from error
        except OUTAGE as error:
            raise CommandError(str(error)) from error


class RqWorkerPoolCommand(stock_pool.Command):  # type: ignore[name-defined]  # a module with a dash in its name
    """Run several worker processes and replace those that die."""

    help = "Runs --num-workers worker processes on the named queues and replaces those that die."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(serializer=None)
        retype(parser, num_workers=at_least(1, int))

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_other_modes("rqworker-pool")
        refuse_unusable_options(options)
        refuse_unknown_queues(args)
        super().handle(*args, **{**options, "serializer": "rq.serializers.JSONSerializer"})


class RqSchedulerCommand(stock_scheduler.Command):
    """Publish delayed jobs when their time comes."""

    help = "Publishes delayed jobs when their time comes; several may run side by side."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(interval=None)
        retype(parser, interval=at_least(0.05, float))

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_other_modes("rqscheduler")
        refuse_unknown_queues((options["queue"],))
        super().handle(*args, **options)
