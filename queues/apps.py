from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class QueuesConfig(AppConfig):
    name = "queues"
    verbose_name = "Background jobs"

    def ready(self) -> None:
        """Give the lower packages what they must not import themselves."""
        from .definitions import (
            checks,  # noqa: F401  registers the system checks
            registry,
        )
        from .ledger import follow_ups
        from .settings import current_mode
        from .worker import embedded

        follow_ups.use(registry.follow_ups)
        autodiscover_modules("jobs")
        if current_mode().runs_in_web:
            embedded.connect()
