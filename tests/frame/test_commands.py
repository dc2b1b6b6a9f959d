"""Which commands get servers, and what a person is told when there are none to get."""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bharatmart.devservers import commands, engine
from bharatmart.devservers.commands import ensure_for, needs_servers
from bharatmart.devservers.errors import WheelsMissing
from bharatmart.environment import BASE_DIR


@pytest.mark.parametrize(
    "line",
    ["migrate", "runserver 8001", "rqworker email", "shell", "makemigrations --check", "check --database default"],
)
def test_commands_that_get_servers(line: str) -> None:
    assert needs_servers(line.split())


@pytest.mark.parametrize(
    "line", ["", "help", "help migrate", "migrate --help", "version", "check --deploy", "spectacular", "queues flow"]
)
def test_commands_that_need_none(line: str) -> None:
    assert not needs_servers(line.split())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What `ensure` was asked for: whether Valkey too."""
    asked: list[bool] = []
    monkeypatch.setattr(commands, "ensure", lambda *, valkey: asked.append(valkey))
    return asked


@pytest.mark.parametrize(("mode", "valkey"), [("rq", True), ("bull-queue", True), ("none", False), ("", False)])
def test_redis_is_for_the_mode_that_needs_it(
    asked: list[bool], monkeypatch: pytest.MonkeyPatch, mode: str, valkey: bool
) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("WORKER_MODE", mode)

    ensure_for(["manage.py", "migrate"])

    assert asked == [valkey]


@pytest.mark.parametrize("debug", ["0", "", "no such value"])
def test_production_gets_none(asked: list[bool], monkeypatch: pytest.MonkeyPatch, debug: str) -> None:
    monkeypatch.setenv("DEBUG", debug)

    ensure_for(["manage.py", "migrate"])

    assert asked == []


@pytest.mark.parametrize("program", [engine.valkey_server, engine.postgres_version])
def test_missing_wheels_are_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, program: Callable[[], object]
) -> None:
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(engine.importlib.metadata, "version", _no_package)

    with pytest.raises(WheelsMissing, match="run `make setup`, or set DATABASE_URL and QUEUE_REDIS_URL"):
        program()


def _no_package(name: str) -> str:
    raise importlib.metadata.PackageNotFoundError(name)


def test_a_command_ends_with_the_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*, valkey: bool) -> None:
        raise WheelsMissing

    monkeypatch.setattr(commands, "ensure", fail)

    with pytest.raises(SystemExit, match="BharatMart cannot start: The development servers are not installed"):
        ensure_for(["manage.py", "migrate"])


def test_a_command_finds_its_database_without_any_setting() -> None:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    environment |= {"BHARATMART_DOTENV": "0", "DEBUG": "1", "WORKER_MODE": "none"}
    asked = "from django.db import connection as c; c.ensure_connection(); print(c.settings_dict['NAME'], 'found')"

    ended = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", asked],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.stdout, ended.returncode) == ("bharatmart found\n", 0), ended.stderr


def test_the_dotenv_file_never_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bharatmart import environment

    (tmp_path / ".env").write_text("SHOP_NAME=from the file\nSHOP_STATE=Kerala\n")
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)
    monkeypatch.setenv("BHARATMART_DOTENV", "1")
    monkeypatch.setenv("SHOP_NAME", "from outside")
    monkeypatch.setenv("SHOP_STATE", "")
    monkeypatch.delenv("SHOP_STATE")

    environment.read_dotenv()

    assert (os.environ["SHOP_NAME"], os.environ["SHOP_STATE"]) == ("from outside", "Kerala")
