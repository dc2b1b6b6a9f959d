"""WSGI entry point: `gunicorn bharatmart.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bharatmart.settings")

application = get_wsgi_application()
