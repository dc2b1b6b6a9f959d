from django.apps import AppConfig
from django.db.models.signals import pre_migrate

from bharatmart.database import lift_statement_timeout


class ApiConfig(AppConfig):
    name = "bharatmart.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        from . import schema  # noqa: F401  describes our authentication to drf-spectacular

        pre_migrate.connect(lift_statement_timeout, sender=self)
