"""Fill the shop's shelves for a start."""

from typing import Any

from django.core.management.base import BaseCommand

from orders.services import catalogue


class Command(BaseCommand):
    help = "Add the products of the starting catalogue, with stock. What is there already stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        added = catalogue.seed_catalogue()
        self.stdout.write(f"{added} products added." if added else "The catalogue is complete already.")
