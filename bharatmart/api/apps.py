from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "bharatmart.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        from . import schema  # noqa: F401  describes our authentication to drf-spectacular
