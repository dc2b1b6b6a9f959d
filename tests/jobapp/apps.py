import os

from django.apps import AppConfig


class JobAppConfig(AppConfig):
    name = "tests.jobapp"
    label = "jobapp"

    def ready(self) -> None:
        from . import reporting  # noqa: F401  registers its jobs

        if os.environ.get("JOBAPP_RECURS"):
            from . import recurring  # noqa: F401  registers its job
