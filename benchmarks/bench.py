"""What all rows share: servers, folder, processes, peers, and how much is to be done."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bharatmart.demo.processes import House, _bare_environment
from bharatmart.demo.servers import Servers as DemoServers
from bharatmart.demo.slot import Slot
from bharatmart.demo.supervisor import Supervisor

from .crew import Crew
from .install import Peers
from .servers import Servers
from .telling import Telling

SETTINGS = {
    "BHARATMART_DOTENV": "0",
    "DJANGO_SETTINGS_MODULE": "benchmarks.jobapp.settings",
    "DEBUG": "0",
    "HTTPS": "0",
    "ALLOWED_HOSTS": "127.0.0.1",
    "WORKER_MODE": "rq",
    "PAYMENT_GATEWAY": "simulated",
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": "json",
    "THROTTLE_USER": "off",
    "THROTTLE_ANONYMOUS": "off",
    "THROTTLE_ORDERS": "off",
    "WEB_CONCURRENCY": "2",
}
DATABASE = "bench"  # of the runs, each time a copy of the one that is made once
ADMIN, PASSWORD_BYTES = "admin@bharatmart.example", 12
OF_THE_DEMO = ("QUEUE_", "PAYMENT_WINDOW", "GATEWAY_TIMEOUT")  # its hasty times; ours are those of production


@dataclass
class Options:
    """How much to do."""

    runs: int = 3
    seconds: float = 5.0  # that a run of a throughput row should take
    full: bool = False  # the sizes of the issue instead of those for every day


@dataclass
class Bench:
    """One run of the harness."""

    options: Options
    servers: Servers
    supervisor: Supervisor
    telling: Telling
    peers: Peers
    bare_env: dict[str, str] = field(default_factory=_bare_environment)

    def __post_init__(self) -> None:
        self.crew = Crew(self.supervisor, self.telling)
        slot = Slot("bench", self.servers.folder / "shop")
        for folder in (slot.folder, slot.mails, slot.media):
            folder.mkdir(exist_ok=True)
        urls = DemoServers(self.servers.postgres.url, self.servers.valkey.url)
        self.house = House(self.supervisor, slot, urls, secrets.token_urlsafe(50), port=0)
        self.house.sink = "benchmarks.mailbox"
        kept = {name: value for name, value in self.house.env.items() if not name.startswith(OF_THE_DEMO)}
        self.house.env = kept | {"QUEUE_REDIS_URL": self.servers.valkey.url} | SETTINGS

    @property
    def folder(self) -> Path:
        return self.servers.folder

    def make_tables(self) -> None:
        """Migrate and seed the database that every run starts from a copy of."""
        self.telling.say("Making the shop's tables")
        account = {
            "DJANGO_SUPERUSER_EMAIL": ADMIN,
            "DJANGO_SUPERUSER_PASSWORD": secrets.token_urlsafe(PASSWORD_BYTES),
        }
        self.crew.python("prepare", "-m", "bharatmart.demo.prepare", env=self.house.env | account)
        self.servers.sql("UPDATE orders_stock SET on_hand = 10000000")
        self.house.env["DATABASE_URL"] = self.servers.postgres.url_of(DATABASE)

    def run_sql(self, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
        """One statement in the run's database."""
        return self.servers.sql(statement, values, DATABASE)

    def make_database(self, name: str, template: str = "template1") -> None:
        """Drop the database of that name and make it anew."""
        with psycopg.connect(self.servers.postgres.url_of("postgres"), autocommit=True) as connection:
            names = sql.Identifier(name), sql.Identifier(template)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(names[0]))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
