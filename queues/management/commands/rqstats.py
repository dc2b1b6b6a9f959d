"""`manage.py rqstats`: the counts of the ledger in the format of django-rq's command of this name.

django-rq's command reads jobs from Redis and unpickles them; this one queries PostgreSQL only.
"""

import json
import signal
import time
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandParser

from queues.ledger import workers
from queues.ledger.counts import stats
from queues.models import Worker
from queues.ops.text_tables import table

COLUMNS = {
    "Name": "name",
    "Queued": "jobs",
    "Delayed": "scheduled_jobs",
    "Active": "started_jobs",
    "Finished": "finished_jobs",
    "Failed": "failed_jobs",
    "Workers": "workers",
}
LEAST_WIDTHS = (18, *[8] * 6)
"""With --interval the columns keep their places while the numbers grow."""


class Command(BaseCommand):
    help = "Shows how many jobs wait, run and are done, and how many workers live, per queue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-j", "--json", action="store_true", help="as JSON")
        parser.add_argument("-y", "--yaml", action="store_true", help="as YAML")
        parser.add_argument("-i", "--interval", type=float, help="show it anew every so many seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"queues": statistics()}))
        elif options["yaml"]:
            self.stdout.write(yaml.safe_dump({"queues": statistics()}, sort_keys=False), ending="")
        elif options["interval"]:
            self._show_repeatedly(options["interval"])
        else:
            self._show()

    def _show_repeatedly(self, interval: float) -> None:
        """Show until Ctrl-C. A handler catches it, since a KeyboardInterrupt raised inside a query may get lost."""
        interrupts: list[int] = []
        signal.signal(signal.SIGINT, lambda number, frame: interrupts.append(number))
        while not interrupts:
            self._show()
            shown = time.monotonic()
            while not interrupts and time.monotonic() < shown + interval:
                time.sleep(0.05)

    def _show(self) -> None:
        rows = ([queue[field] for field in COLUMNS.values()] for queue in statistics())
        self.stdout.write(table([list(COLUMNS), *rows], "<>>>>>>", LEAST_WIDTHS), ending="")


def statistics() -> list[dict[str, str | int]]:
    """One entry for each queue, with django-rq's names of fields."""
    living = list(Worker.objects.filter(pk__in=workers.living()))
    return [
        {
            "name": name,
            "jobs": counts.waiting,
            "scheduled_jobs": counts.delayed,
            "started_jobs": counts.active,
            "finished_jobs": counts.completed,
            "failed_jobs": counts.failed,
            "deferred_jobs": 0,
            "workers": sum(name in worker.queues for worker in living),
        }
        for name, counts in stats().queues.items()
    ]
