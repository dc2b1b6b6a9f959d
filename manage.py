#!/usr/bin/env python
"""Command line of BharatMart."""

import os
import sys


def main() -> None:
    """Run a command; in development with servers of our own (bharatmart/devservers)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bharatmart.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from bharatmart.devservers.commands import ensure_for

    ensure_for(sys.argv)
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error))


if __name__ == "__main__":
    main()
