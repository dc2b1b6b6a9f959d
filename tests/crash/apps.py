from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class CrashConfig(AppConfig):
    name = "tests.crash"

    def ready(self) -> None:
        if not settings.DEBUG:
            raise ImproperlyConfigured("tests.crash kills processes at named points; only DEBUG=1 starts with it.")
        from .armed import arm_all

        arm_all()
