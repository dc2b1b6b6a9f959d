"""`manage.py queues …`: view queues, act on them and their jobs. They are in queues/management/subcommands.py."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from queues.management.subcommands import add_subcommands


class Command(BaseCommand):
    help = "Shows queues, pauses and resumes them, retries, cancels and deletes their jobs."

    def add_arguments(self, parser: CommandParser) -> None:
        add_subcommands(parser.add_subparsers(dest="verb", required=True, metavar="verb"))

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(options["run"](options), ending="")
