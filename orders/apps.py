"""The app of the catalogue, its stock, the orders and their invoices."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers the system checks)
