"""The processes of the shop, and the times in which they do in seconds what takes minutes in production."""

from urllib.parse import urlsplit

from bharatmart.demo.processes import START_TIMEOUT, House
from bharatmart.demo.providers import Checkout
from bharatmart.demo.servers import Servers
from bharatmart.demo.shop import Shop
from bharatmart.demo.slot import Slot
from bharatmart.demo.supervisor import Supervisor

from .place import OwnServers
from .wire import Wire

LEASE = 4.0
SETTINGS = {
    "PAYMENT_WINDOW": "30",
    "SUSPICIOUS_PATTERNS": "[]",  # five buyers place all the orders
    "GATEWAY_TIMEOUT": "2.5",
    "GATEWAY_BREAKER_FAILURES": "5",
    "GATEWAY_BREAKER_PAUSE": "1.5",
    "NOTIFICATION_LEASE": "8",
    "EMAIL_TIMEOUT": "20",
    "QUEUE_PAYMENT_BACKOFF_TYPE": "fixed",
    "QUEUE_PAYMENT_BACKOFF_DELAY": "1000",
    "QUEUE_BROKER_DELAY": "2",
    "QUEUE_POLL": "0.3",
    "QUEUE_RECHECK": "1.5",
    "QUEUE_OVERDUE": "1.5",
    "QUEUE_HEARTBEAT": "0.5",
    "QUEUE_LEASE": str(LEASE),
    "QUEUE_SWEEP": "0.8",
    "QUEUE_GRACE": "3",
    "WEB_CONCURRENCY": "2",
}
WEBHOOKS = {"dropped": 0.2, "twice": 0.3, "late": 0.4, "latest": 4.0}
WORKERS = {
    "worker-1": ("rqworker",),
    "worker-2": ("work", "all"),
    "worker-email": ("rqworker", "email"),
    "worker-money": ("rqworker", "payment", "order", "inventory-release"),
}


class ChaosHouse(House):
    """The demo's house with more workers, two web processes, and a wire to the gateway that can be silenced."""

    sink = "tests.chaos.sink"

    def __init__(self, supervisor: Supervisor, slot: Slot, servers: OwnServers, secret_key: str) -> None:
        super().__init__(supervisor, slot, Servers(servers.database_url, servers.redis_url), secret_key, port=0)
        self.env |= SETTINGS
        self.own = servers
        self.wire: Wire
        self.checkout: Checkout

    def start_workers(self) -> None:
        for name, words in WORKERS.items():
            self._start(name, "manage.py", *words)

    def wait_until_up(self, shop: Shop) -> None:
        wait = self.supervisor.wait_until
        wait(shop.is_ready, START_TIMEOUT, "the web")
        wait(self._mailbox_is_up, START_TIMEOUT, "the mail server")
        with self.own.redis() as client:
            wait(lambda: client.scard("rq:workers") == len(WORKERS), START_TIMEOUT, "the workers")
            wait(lambda: client.keys("rq:scheduler_instance:*"), START_TIMEOUT, "rq-scheduler")

    def _start_providers(self) -> None:
        """Their webhooks come twice, late and not at all."""
        super()._start_providers()
        self.checkout = Checkout(self.providers_url)
        for provider in ("stripe", "razorpay"):
            self.checkout.direct(f"webhooks/{provider}", WEBHOOKS)

    def close(self) -> None:
        self.wire.close()
        self.web_door.close()
        self.mail_door.close()

    def _start_gateway(self) -> None:
        super()._start_gateway()
        self.wire = Wire(int(urlsplit(self.gateway_url).port or 0))
        self.env["SIMULATED_GATEWAY_URL"] = self.wire.start()
