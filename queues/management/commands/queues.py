"""`manage.py queues …`: view queues, act on them and their jobs. The verbs are in queues/management/verbs.py."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from queues.management.verbs import add_verbs


class Command(BaseCommand):
    help = "Shows queues, pauses and resumes them, retries, cancels and deletes their jobs."

    def add_arguments(self, parser: CommandParser) -> None:
        add_verbs(parser.add_subparsers(dest="verb", required=True, metavar="verb"))

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(options["run"](options), ending="")
