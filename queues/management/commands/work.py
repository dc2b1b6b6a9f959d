"""`manage.py work [email|order|payment|all]`: run the jobs of a worker type in one process, in any mode."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from queues import brokers
from queues.errors import UnfitBroker
from queues.postgres.outages import OUTAGE
from queues.settings import WORKER_TYPES, queues_of
from queues.supervisor import supervised
from queues.worker.process import WorkerProcess


class Command(BaseCommand):
    help = "Runs the jobs of a worker type (WORKER_TYPE when none is named) in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("worker_type", nargs="?", choices=[*WORKER_TYPES, "all"], default=settings.WORKER_TYPE)
        parser.add_argument("--burst", action="store_true", help="end when nothing is due any more")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = queues_of(options["worker_type"])
        if settings.WORKER_MODE == "none":
            told = "WORKER_MODE is 'none': jobs stay waiting and nothing runs them; set it to rq or in-process."
            raise CommandError(told, returncode=2)
        supervised.work_in_child()
        try:
            run = _work_with_rq if settings.WORKER_MODE == "rq" else _work_in_process
            run(queues, burst=options["burst"])
        except UnfitBroker as error:
            raise CommandError(str(error)) from error
        except OUTAGE as error:
            raise CommandError(str(error)) from error


def _work_with_rq(queues: list[str], *, burst: bool) -> None:
    from queues.management.rq.worker import Worker

    Worker(queues).work(burst=burst)


def _work_in_process(queues: list[str], *, burst: bool) -> None:
    worker = WorkerProcess(queues, brokers.current(), name="work", burst=burst, replaceable=True)
    supervised.stop_on_signals(worker.stop)
    worker.run()
    if worker.is_hung:
        supervised.exit_for_replacement()
