"""The shop's settings in worker processes that die at named points."""

from bharatmart.settings import *  # noqa: F403
from bharatmart.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.crash"]
