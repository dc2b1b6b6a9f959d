"""Brokers carry offers from the outbox to workers. One per WORKER_MODE."""

from functools import cache
from importlib import import_module
from typing import cast

from django.conf import settings

from .base import Broker

_MODULES = {"rq": ".rq.broker", "in-process": ".in_process", "none": ".none"}


@cache
def broker_of(mode: str) -> Broker:
    """The broker of a worker mode, made once a process."""
    return cast(Broker, import_module(_MODULES[mode], __package__).make())


def current() -> Broker:
    """The broker of settings.WORKER_MODE."""
    return broker_of(settings.WORKER_MODE)
