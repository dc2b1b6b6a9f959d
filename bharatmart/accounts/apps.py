from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "bharatmart.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from . import receivers  # noqa: F401  connects them
