"""Clones of the project that hold the development servers alone, to run them side by side."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import redis

from bharatmart.devservers.place import Place
from bharatmart.devservers.postgres import Postgres
from bharatmart.devservers.valkey import Valkey
from bharatmart.environment import BASE_DIR


class Clone:
    """One clone; `idle` is how many seconds its servers outlive their last user."""

    def __init__(self, folder: Path, idle: float) -> None:
        self.folder = folder
        self.idle = idle
        package = folder / "bharatmart"
        shutil.copytree(
            BASE_DIR / "bharatmart" / "devservers",
            package / "devservers",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        shutil.copy(BASE_DIR / "bharatmart" / "__init__.py", package)
        self.place = Place.of(folder)

    @property
    def postgres(self) -> Postgres:
        return Postgres(self.place.root)

    @property
    def valkey(self) -> Valkey:
        return Valkey(self.place.root)

    def popen(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """`python -m bharatmart.devservers WORDS` in this clone."""
        environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
        environment["BHARATMART_SERVERS_IDLE"] = str(self.idle)
        return subprocess.Popen(
            [sys.executable, "-m", "bharatmart.devservers", *words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **more,
        )

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and output."""
        with self.popen(*words) as process:
            output, _ = process.communicate(timeout=60)
            return process.returncode, output

    def start(self) -> dict[str, str]:
        """Have the servers running; their URLs by variable."""
        code, output = self.run()
        assert code == 0, output
        return urls_in(output)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(self.valkey.url)

    def remove(self) -> None:
        """End every process of the clone and delete its folders."""
        wait_until(lambda: not self.place.root.exists() or self.run("reset")[0] == 0)
        shutil.rmtree(self.folder, ignore_errors=True)


def urls_in(output: str) -> dict[str, str]:
    """The URLs that a start has printed, by variable."""
    return dict(line.split("=", 1) for line in output.splitlines() if "_URL=" in line)


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Fail if the condition does not come true in time."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.05)
