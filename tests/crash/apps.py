from django.apps import AppConfig


class CrashConfig(AppConfig):
    name = "tests.crash"

    def ready(self) -> None:
        from .armed import arm_all

        arm_all()
