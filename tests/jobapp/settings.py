"""Settings of the real worker processes that the engine's tests start: the engine and the test jobs, nothing else.

Half the start-up time of the whole shop; the tables are there either way.
"""

import json
import os

from bharatmart.settings import *  # noqa: F403

INSTALLED_APPS = ["queues", "django_rq", "tests.jobapp"]
MIDDLEWARE = []
ROOT_URLCONF = "tests.jobapp.urls"
QUEUES["order"]["timeout"] = float(os.environ.get("ORDER_TIMEOUT", "60"))  # noqa: F405
QUEUES["order"] |= json.loads(os.environ.get("ORDER_OPTIONS", "{}"))  # noqa: F405
QUEUE_CHILD_PRELOAD = []
