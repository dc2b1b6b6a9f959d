"""The shop's settings and one more app, whose jobs the engine's tests run in real worker processes."""

from bharatmart.settings import *  # noqa: F403
from bharatmart.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.jobapp"]
