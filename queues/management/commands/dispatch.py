"""`manage.py dispatch`: a dispatcher without a worker, for scale. Every worker dispatches as well."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from queues import brokers
from queues.dispatcher import Dispatcher, dispatch_all
from queues.maintenance.housekeeper import Housekeeper
from queues.settings import MODES
from queues.supervisor import supervised


class Command(BaseCommand):
    help = "Moves waiting jobs to the broker, and does the housekeeping, without running jobs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="publish what is due and fits, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        broker = brokers.current()
        if not broker.dispatches:
            possible = " or ".join(mode for mode in MODES if brokers.broker_class(mode).dispatches)
            mode = settings.WORKER_MODE
            reason = f"dispatch needs WORKER_MODE={possible}, but WORKER_MODE is {mode!r}: nothing to dispatch to."
            raise CommandError(reason, returncode=2)
        if options["once"]:
            self.stdout.write(f"{dispatch_all(broker)} offers published")
            return
        self.stop_asked = False
        supervised.stop_on_signals(self._stop)
        helpers = [Dispatcher(broker).helper(), Housekeeper(broker).helper()]
        for helper in helpers:
            helper.start()
        while not self.stop_asked:
            time.sleep(0.1)
        for helper in helpers:
            helper.stop()
        for helper in helpers:
            helper.join(settings.QUEUE_POLL + 10)

    def _stop(self) -> None:
        self.stop_asked = True
