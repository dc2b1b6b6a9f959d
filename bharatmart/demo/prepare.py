"""Tables, products and an admin in an empty database, in one process: `python -m bharatmart.demo.prepare`.

The admin's address and password come from DJANGO_SUPERUSER_EMAIL and DJANGO_SUPERUSER_PASSWORD.
"""

import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bharatmart.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False)
    call_command("seed_catalogue")
    call_command("createsuperuser", interactive=False)


if __name__ == "__main__":
    main()
