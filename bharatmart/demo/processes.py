"""The processes of the demo and the environment they run in."""

import os
import re
import smtplib
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import redis
import requests

from bharatmart.environment import BASE_DIR
from queues.settings import WORKER_TYPES

from .servers import Servers
from .shop import Shop
from .slot import Slot
from .supervisor import Supervisor

PAYMENT_WINDOW = 10  # seconds
PREFERRED_PORT = 8000
START_TIMEOUT = 60.0
LISTENING = re.compile(r"listening on (http://\S+)")
SETTINGS = {
    "BHARATMART_DOTENV": "0",
    "DEBUG": "1",
    "WORKER_MODE": "rq",
    "PAYMENT_WINDOW": str(PAYMENT_WINDOW),
    "GATEWAY_TIMEOUT": "2",
    "QUEUE_BROKER_DELAY": "2",
    "QUEUE_POLL": "0.5",
    "QUEUE_PAYMENT_BACKOFF_TYPE": "fixed",
    "QUEUE_PAYMENT_BACKOFF_DELAY": "1000",
    "QUEUE_HEARTBEAT": "2",
    "QUEUE_LEASE": "10",
    "QUEUE_SWEEP": "3",
    "QUEUE_GRACE": "3",
    "THROTTLE_USER": "off",
    "THROTTLE_ANONYMOUS": "off",
    "WEB_CONCURRENCY": "1",
    "PYTHONUNBUFFERED": "1",
    "STRIPE_SECRET_KEY": "sk_test_demo",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_demo",
    "STRIPE_WEBHOOK_SECRETS": "whsec_fake",
    "RAZORPAY_KEY_ID": "rzp_test_demo",
    "RAZORPAY_KEY_SECRET": "rzp_secret_demo",
    "RAZORPAY_WEBHOOK_SECRETS": "razor_fake",
}


class House:
    """The shop's processes: web, workers, scheduler and mail server; the gateway, and fakes of Stripe and Razorpay."""

    sink = "bharatmart.demo.mailbox"

    def __init__(
        self, supervisor: Supervisor, slot: Slot, servers: Servers, secret_key: str, port: int = PREFERRED_PORT
    ) -> None:
        self.supervisor = supervisor
        self.slot = slot
        self.servers = servers
        self.web_door, self.mail_door = _door(port), _door()
        self.url = f"http://127.0.0.1:{self.web_door.getsockname()[1]}"
        self.gateway_url = self.providers_url = ""
        self.env = {
            **_bare_environment(),
            **SETTINGS,
            "SECRET_KEY": secret_key,
            "DATABASE_URL": servers.database_url,
            "QUEUE_REDIS_URL": servers.redis_url,
            "MEDIA_ROOT": str(slot.media),
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self.mail_door.getsockname()[1]),
            "WEB_BIND": f"fd://{self.web_door.fileno()}",
        }

    def start_what_needs_no_tables(self) -> None:
        """Web, scheduler, gateway, providers and mail server."""
        self._start_gateway()
        self._start_providers()
        web = ["-m", "gunicorn", "--no-control-socket", "-c", "deploy/gunicorn.conf.py", "bharatmart.wsgi"]
        self._start("web", *web, door=self.web_door)
        sink = ["-m", self.sink, "--folder", str(self.slot.mails)]
        self._start("mailbox", *sink, "--fd", str(self.mail_door.fileno()), door=self.mail_door)
        self._start("scheduler", "manage.py", "rqscheduler")

    def prepare(self, admin: str, password: str) -> None:
        """Make tables, products and the admin."""
        account = {"DJANGO_SUPERUSER_EMAIL": admin, "DJANGO_SUPERUSER_PASSWORD": password}
        self.supervisor.run("prepare", [sys.executable, "-m", "bharatmart.demo.prepare"], self.env | account)

    def start_workers(self) -> None:
        for kind, queues in WORKER_TYPES.items():
            self._start(f"worker-{kind}", "manage.py", "rqworker", *queues)

    def wait_until_up(self, shop: Shop) -> None:
        """Ask each process in its own language. Raises NotInTime, CommandFailed."""
        wait = self.supervisor.wait_until
        wait(shop.is_ready, START_TIMEOUT, "the web")
        wait(self._gateways_are_up, START_TIMEOUT, "the gateways")
        wait(self._mailbox_is_up, START_TIMEOUT, "the mail server")
        with redis.Redis.from_url(self.servers.redis_url, socket_timeout=5) as client:
            wait(lambda: client.scard("rq:workers") == len(WORKER_TYPES), START_TIMEOUT, "the workers")
            wait(lambda: client.keys("rq:scheduler_instance:*"), START_TIMEOUT, "rq-scheduler")

    def _start(self, name: str, *words: str, door: socket.socket | None = None) -> None:
        self.supervisor.start(name, [sys.executable, *words], self.env, [door.fileno()] if door else [])

    def _start_gateway(self) -> None:
        """On a port that it takes for itself, and that it keeps when it is started again."""
        self.gateway_url = self._start_listener("gateway", "payments.simulator", "--book", str(self.slot.book))
        self.env["SIMULATED_GATEWAY_URL"] = self.gateway_url

    def _start_providers(self) -> None:
        """Both of them in one process, which tells the web of its events."""
        hooks = ("--webhooks", f"{self.url}/api/webhooks")
        self.providers_url = self._start_listener("providers", "payments.simulator.providers", *hooks)
        self.env["STRIPE_API_BASE"] = f"{self.providers_url}/stripe"
        self.env["RAZORPAY_API_BASE"] = f"{self.providers_url}/razorpay"

    def _start_listener(self, name: str, module: str, *options: str) -> str:
        command = [sys.executable, "-m", module, *options, "--port"]
        child = self.supervisor.start(name, [*command, "0"], self.env)
        self.supervisor.wait_until(lambda: LISTENING.search(child.log.read_text()), START_TIMEOUT, f"the {name}")
        found = LISTENING.search(child.log.read_text())
        assert found is not None
        child.argv = [*command, str(urlsplit(found[1]).port)]
        return found[1]

    def _gateways_are_up(self) -> bool:
        try:
            with requests.Session() as session:
                session.trust_env = False
                urls = (f"{self.gateway_url}/health", f"{self.providers_url}/control/health")
                return all(session.get(url, timeout=2).ok for url in urls)
        except requests.RequestException:
            return False

    def _mailbox_is_up(self) -> bool:
        try:
            host, port = self.mail_door.getsockname()
            with smtplib.SMTP(host, port, timeout=5) as client:
                return client.noop()[0] == 250
        except OSError:
            return False


def _door(preferred: int = 0) -> socket.socket:
    """A listening socket on 127.0.0.1, on the preferred port if it is free: held here, the port stays ours."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(("127.0.0.1", preferred))
    except OSError:
        door.bind(("127.0.0.1", 0))
    door.listen(128)
    return door


def _bare_environment(example: Path = BASE_DIR / ".env.example") -> dict[str, str]:
    """The environment without everything that is ours to set."""
    lines = example.read_text().splitlines()
    known = {line.lstrip("# ").split("=")[0] for line in lines if "=" in line}
    ours = ("QUEUE_", "WORKER_", "DJANGO_", "GUNICORN_", "BHARATMART_")
    return {name: value for name, value in os.environ.items() if name not in known and not name.startswith(ours)}
