"""The shop's settings in worker processes that die at named points, with the jobs of the engine's tests."""

from bharatmart.settings import *  # noqa: F403
from bharatmart.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.jobapp", "tests.crash"]
