"""A shop in which a worker can be made to die at a point: real gateway, real mail server, real worker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import override_settings

from tests.crash.world import World
from tests.payments.gateway_process import GatewayProcess
from tests.processes import Processes
from tests.queues.conftest import QUICK, test_database
from tests.smtp_sink import SmtpSink

__all__ = ["test_database"]

KEPT = {"queues_worker", "django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(scope="module")
def world(test_database: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("crash")
    gateway = GatewayProcess(folder / "book.jsonl")
    gateway_here = override_settings(SIMULATED_GATEWAY_URL=gateway.url)
    with django_db_blocker.unblock(), SmtpSink() as sink, gateway_here:
        environment = {
            **QUICK,
            "DJANGO_SETTINGS_MODULE": "tests.crash.settings",
            "CRASH_AT": str(folder / "at"),
            "EMAIL_PORT": str(sink.port),
            "SIMULATED_GATEWAY_URL": gateway.url,
            "NOTIFICATION_LEASE": "2",
            "MEDIA_ROOT": str(folder / "media"),
        }
        environment |= {f"QUEUE_{queue}_BACKOFF_DELAY": "200" for queue in ("EMAIL", "ORDER", "PAYMENT", "REPORTS")}
        _empty()
        processes = Processes(folder, environment)
        shop = World(folder, gateway, sink, processes)
        yield shop
        processes.end()
        _empty()
    gateway.stop()


@pytest.fixture
def fresh_world(world: World) -> World:
    """The same world with nothing in it but its worker."""
    _empty()
    world.begin()
    return world


def _empty() -> None:
    tables = {model._meta.db_table for model in apps.get_models() if model._meta.managed} - KEPT
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '10s'; TRUNCATE {', '.join(sorted(tables))} CASCADE; RESET lock_timeout")
