"""`manage.py queues flow`: the whole tree of events and jobs, from the code."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from queues.flow import flow_page


class Command(BaseCommand):
    help = "Shows how events and jobs hang together."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["flow"])

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(flow_page(), ending="")
