"""PostgreSQL of our own: UTF-8, durable, on 127.0.0.1 and a socket, run by a plain user also for root."""

import os
import secrets
import shutil
import signal
from pathlib import Path
from typing import Any

from bharatmart.devservers.engine import postgres_account, postgres_programs, postgres_version
from bharatmart.devservers.errors import ServerDidNotStart
from bharatmart.devservers.processes import run_as
from bharatmart.devservers.server import Server

NAME = "bharatmart"  # of the database and of the role that owns it
LONGEST_SOCKET_FOLDER = 80
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
max_connections = 300
scram_iterations = 1  # the password is long and random, and connecting should be quick
timezone = 'UTC'
log_timezone = 'UTC'
"""


class Postgres(Server):
    """One PostgreSQL below `root`, in a folder named after its major version."""

    gentle = signal.SIGINT  # fast shutdown: clients are disconnected, nothing is lost

    def __init__(self, root: Path) -> None:
        super().__init__(root / f"postgres{postgres_version().split('.')[0]}")
        self.root = root
        self.account = postgres_account()
        self.data = self.folder / "data"
        self.secret = self.folder / "password"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def mark(self) -> str:
        return str(self.data)

    @property
    def url(self) -> str:
        return self.url_of(NAME)

    def url_of(self, database: str) -> str:
        return f"postgresql://{NAME}:{self.secret.read_text()}@127.0.0.1:{self.port}/{database}"

    def command(self, port: int) -> list[str]:
        programs = postgres_programs(self.root)
        return [str(programs / "postgres"), "-D", str(self.data), "-p", str(port)]

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._give(self.folder)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        if not (self.data / "PG_VERSION").exists() or not self.secret.exists():
            self._init()

    def is_ours(self, pid: int) -> bool:
        """The server's own data directory, and the pid that it wrote there."""
        asked = "SELECT current_setting('data_directory'), split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"
        return self._ask(asked) == [(str(self.data), str(pid))]

    def complete(self) -> None:
        """Make the role, which is no superuser (as in production), and its database."""
        if not self._ask(f"SELECT 1 FROM pg_roles WHERE rolname = '{NAME}'"):
            self._ask(f"CREATE ROLE {NAME} LOGIN CREATEDB PASSWORD '{self.secret.read_text()}'")
        if not self._ask(f"SELECT 1 FROM pg_database WHERE datname = '{NAME}'"):
            self._ask(f"CREATE DATABASE {NAME} OWNER {NAME}")

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        import psycopg

        try:
            with psycopg.connect(
                host="127.0.0.1",
                port=self.port,
                user="postgres",
                password=self.secret.read_text(),
                dbname="postgres",
                connect_timeout=5,
                autocommit=True,
            ) as connection:
                cursor = connection.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError:
            return []

    def _init(self) -> None:
        """Make a new cluster aside and move it into its place, so that a killed initdb leaves nothing behind."""
        half = self.folder / "data.half"
        shutil.rmtree(half, ignore_errors=True)
        self._write_secret()
        made = run_as(self.account, self._initdb(half), self.folder)
        if made.returncode != 0:
            raise ServerDidNotStart(made.stdout)
        with (half / "postgresql.conf").open("a") as file:
            file.write(SETTINGS.format(folder=self.folder if len(str(self.folder)) < LONGEST_SOCKET_FOLDER else ""))
        shutil.rmtree(self.folder / "data.old", ignore_errors=True)
        if self.data.exists():
            self.data.rename(self.folder / "data.old")
        half.rename(self.data)

    def _initdb(self, folder: Path) -> list[str]:
        return [
            str(postgres_programs(self.root) / "initdb"),
            f"--pgdata={folder}",
            "--username=postgres",
            f"--pwfile={self.secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            "--no-sync",
        ]

    def _write_secret(self) -> None:
        self.secret.unlink(missing_ok=True)
        self.secret.touch(mode=0o600, exist_ok=False)
        self.secret.write_text(secrets.token_hex(16))
        self._give(self.secret)

    def _give(self, path: Path) -> None:
        if self.account.uid is not None and self.account.gid is not None:
            os.chown(path, self.account.uid, self.account.gid)
