"""Brokers carry offers from the outbox to workers. Each worker mode has one (queues/settings/modes.py)."""

from functools import cache
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from ..settings import MODES
from .base import Broker


def broker_class(mode: str) -> type[Broker]:
    """The class of a worker mode's broker; its library is imported only now."""
    return cast("type[Broker]", import_string(f"{__name__}.{MODES[mode].broker}"))


@cache
def broker_of(mode: str) -> Broker:
    """The broker of a worker mode, created once in each process."""
    return broker_class(mode)()


def current() -> Broker:
    """The broker of settings.WORKER_MODE."""
    return broker_of(settings.WORKER_MODE)
