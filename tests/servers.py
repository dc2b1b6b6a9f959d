"""pytest plugin (loaded through pyproject.toml): real servers and one fixed environment, before the settings are read.

DATABASE_URL and QUEUE_REDIS_URL are used when set. Otherwise a run gets the PostgreSQL of this clone with databases of
its own, and each test process a Valkey of its own, so that FLUSHALL in one never meets another. Two runs at once take
two slots. Nothing else that a developer has in the environment or in `.env` reaches the tests.
"""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from bharatmart.devservers import DevServerError
from bharatmart.devservers.place import Place, try_lock
from bharatmart.devservers.postgres import Postgres
from bharatmart.devservers.shared import DATABASE_URL, QUEUE_REDIS_URL, take
from bharatmart.devservers.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent
SLOT = "BHARATMART_TEST_SLOT"
KEPT = {DATABASE_URL, QUEUE_REDIS_URL}
NOBODY_LISTENS = "9"
ENVIRONMENT = {
    "DATABASE_STATEMENT_TIMEOUT": "120",  # to create and drop databases takes a busy disk long
    "BHARATMART_DOTENV": "0",
    "DEBUG": "1",
    "SECRET_KEY": "for-the-tests-only-" + "0123456789" * 4,
    "WORKER_MODE": "rq",
    "QUEUE_BROKER_DELAY": "2",
    "EMAIL_HOST": "127.0.0.1",
    "EMAIL_PORT": NOBODY_LISTENS,
    "SIMULATED_GATEWAY_URL": f"http://127.0.0.1:{NOBODY_LISTENS}",
    "LOG_LEVEL": "WARNING",
    "LOG_FORMAT": "console",
}
_slot_lock: list[int] = []
_valkeys: list[Valkey] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Come before pytest-django, which loads the settings in this hook."""
    _fix_environment()
    try:
        asked_for_many = bool(getattr(early_config.known_args_namespace, "numprocesses", None))
        _take_servers(hands_out_tests=asked_for_many and "PYTEST_XDIST_WORKER" not in os.environ)
    except DevServerError as error:
        raise pytest.UsageError(str(error)) from error
    return (yield)


def pytest_configure() -> None:
    """An example of Hypothesis may take long: a busy machine lets a process stand still for seconds."""
    from hypothesis import settings

    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")


def pytest_unconfigure() -> None:
    while _valkeys:
        valkey = _valkeys.pop()
        with Place.of().turn():
            valkey.stop()
        shutil.rmtree(valkey.folder, ignore_errors=True)
    if SLOT in os.environ:
        shutil.rmtree(os.environ["MEDIA_ROOT"], ignore_errors=True)


def _fix_environment() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    known = {line.lstrip("# ").split("=")[0] for line in lines if "=" in line}
    for name in set(os.environ) - KEPT:
        if name in known or name.startswith(("QUEUE_", "WORKER_")):
            del os.environ[name]
    os.environ.update(ENVIRONMENT)


def _take_servers(hands_out_tests: bool) -> None:
    """The first process takes PostgreSQL and a slot; each process that runs tests takes a Valkey."""
    place = Place.of()
    place.prepare()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ[SLOT] = _take_slot(place)
        is_given = bool(os.environ.get(DATABASE_URL))
        take(place, [] if is_given else [(DATABASE_URL, Postgres)])
        if not is_given:
            os.environ[DATABASE_URL] = Postgres(place.root).url_of(f"bharatmart{os.environ[SLOT]}")
    name = f"tests{os.environ[SLOT]}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    os.environ["MEDIA_ROOT"] = str(place.root / f"media-{name}")
    if not os.environ.get(QUEUE_REDIS_URL) and not hands_out_tests:
        _take_valkey(place, f"valkey-{name}")


def _take_valkey(place: Place, name: str) -> None:
    valkey = Valkey(place.root, name)
    with place.turn():
        valkey.stop()  # one that a killed run left behind may hold its messages
        os.environ[QUEUE_REDIS_URL] = valkey.ensure()
    _valkeys.append(valkey)


def _take_slot(place: Place) -> str:
    """The lowest number that no living test run has; the lock goes with this process."""
    number = 0
    while True:
        lock = place.open_lock(f"tests{number}.lock")
        if try_lock(lock):
            _slot_lock.append(lock)
            return str(number)
        os.close(lock)
        number += 1
