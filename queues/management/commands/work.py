"""`manage.py work [email|order|payment|all]`: run the jobs of a worker type in one process, in any mode."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from queues import brokers
from queues.errors import UnfitBroker
from queues.postgres.outages import OUTAGE
from queues.settings import MODES, WORKER_TYPES, current_mode, queues_of
from queues.supervisor import supervised
from queues.worker.process import WorkerProcess


class Command(BaseCommand):
    help = "Runs the jobs of a worker type (WORKER_TYPE when none is named) in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("worker_type", nargs="?", choices=[*WORKER_TYPES, "all"], default=settings.WORKER_TYPE)
        parser.add_argument("--burst", action="store_true", help="end when nothing is due any more")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = queues_of(options["worker_type"])
        mode = current_mode()
        if mode.work is None:
            possible = " or ".join(other.name for other in MODES.values() if other.work)
            reason = f"WORKER_MODE is {mode.name!r}: jobs stay waiting and nothing runs them; set it to {possible}."
            raise CommandError(reason, returncode=2)
        supervised.work_in_child()
        try:
            import_string(f"queues.management.{mode.work}")(queues, burst=options["burst"])
        except UnfitBroker as error:
            raise CommandError(str(error)) from error
        except OUTAGE as error:
            raise CommandError(str(error)) from error


def run_worker(queues: list[str], *, burst: bool) -> None:
    """Run the jobs of these queues with the broker of this mode, until stopped or, with `burst`, until none is due."""
    worker = WorkerProcess(queues, brokers.current(), name="work", burst=burst, replaceable=True)
    supervised.stop_on_signals(worker.stop)
    worker.run()
    if worker.is_hung:
        supervised.exit_for_replacement()
