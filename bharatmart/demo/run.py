"""The demo from its first line to its last."""

import contextlib
import secrets
import time
from collections.abc import Iterator

from bharatmart.environment import BASE_DIR

from .acts import People, act
from .checks import Check, Evidence, check_all, table_of
from .delayed import DelayedSet
from .mailbox import Mailbox
from .processes import PAYMENT_WINDOW, House
from .providers import Checkout
from .servers import take_servers
from .shop import Shop, book_of
from .slot import Slot, take_slot
from .staff import Staff
from .story import Story, free_of, look, place_all
from .supervisor import Supervisor
from .timeline import Timeline

CUSTOMER, ADMIN = "asha@bharatmart.example", "admin@bharatmart.example"
PATIENCE = PAYMENT_WINDOW + 30.0  # seconds for all orders to come to their ends
GLANCE = 0.4


def run(once: bool) -> int:
    """The whole demo; what to exit with. Raises DemoError, DevServerError."""
    with take_slot() as slot, contextlib.ExitStack() as stack:
        began = time.monotonic()
        print(f"BharatMart demo. Logs: {_short(slot.logs)}")
        with _step("PostgreSQL and Redis"):
            servers = stack.enter_context(take_servers(slot))
        supervisor = stack.enter_context(Supervisor(slot.logs, BASE_DIR))
        house = House(supervisor, slot, servers, secret_key=secrets.token_urlsafe(50))
        shop, passwords = Shop(house.url), {CUSTOMER: secrets.token_urlsafe(12), ADMIN: secrets.token_urlsafe(12)}
        staff = Staff(house.url)
        stack.callback(shop.close)
        stack.callback(staff.close)
        _open_shop(house, shop, staff, passwords)
        stories = _watch_orders(house, People(shop, Checkout(house.providers_url), staff))
        checks = check_all(_evidence(house, shop, stories))
        print("\n".join(table_of(checks)))
        kept = sum(check.kept for check in checks)
        print(f"\n{kept} of {len(checks)} are as expected, after {time.monotonic() - began:.1f} s.")
        if once:
            return _verdict(checks, slot)
        _stay_open(house, passwords)
        return 0


def _open_shop(house: House, shop: Shop, staff: Staff, passwords: dict[str, str]) -> None:
    with _step("gateways, mail server, web and rq-scheduler start"):
        house.start_what_needs_no_tables()
    with _step("tables, products, admin"):
        house.prepare(ADMIN, passwords[ADMIN])
    with _step("workers start, and everything answers"):
        house.start_workers()
        house.wait_until_up(shop)
    with _step("a customer signs up, customer and staff log in"):
        shop.sign_up(CUSTOMER, passwords[CUSTOMER])
        shop.log_in(CUSTOMER, passwords[CUSTOMER])
        staff.log_in(ADMIN, passwords[ADMIN])


def _watch_orders(house: House, people: People) -> list[Story]:
    """Place the orders and show them until nothing about them is left to do, or the patience is over."""
    timeline, delayed, shop = Timeline(), DelayedSet(house.servers.redis_url), people.shop
    stories: list[Story] = []
    for story in place_all(shop):
        stories.append(story)
        if look(shop, delayed, stories):
            timeline.show(stories)
    until, news = time.monotonic() + PATIENCE, list[str]()
    while time.monotonic() < until and not all(story.is_over() for story in stories):
        news += house.supervisor.sleep(GLANCE)
        act(people, stories)
        if look(shop, delayed, stories):
            timeline.show(stories, news)
            news.clear()
    return stories


def _evidence(house: House, shop: Shop, stories: list[Story]) -> Evidence:
    checkout = Checkout(house.providers_url)
    return Evidence(
        stories=stories,
        mailbox=Mailbox(house.slot.mails),
        book=[*book_of(house.gateway_url), *checkout.book()],
        webhooks=checkout.webhooks(),
        customer=CUSTOMER,
        held=DelayedSet(house.servers.redis_url).read(),
        free={sku: free for story in stories for sku, free in free_of(shop, story).items()},
    )


def _verdict(checks: list[Check], slot: Slot) -> int:
    differ = [check for check in checks if not check.kept]
    for check in differ:
        print(f"{check.about}, {check.what}: expected {check.expected}; found {check.found}")
    if differ:
        print(f"Mails, book and logs are in {_short(slot.folder)}.")
    return 1 if differ else 0


def _stay_open(house: House, passwords: dict[str, str]) -> None:
    """Tell where everything is, and keep it running until Ctrl-C."""
    places = {
        "Shop API": f"{house.url}/api/products",
        "API docs": f"{house.url}/api/docs",
        "Health": f"{house.url}/api/health/ready",
        "Admin": f"{house.url}/admin/  ({ADMIN}, password {passwords[ADMIN]})",
        "Customer": f"{CUSTOMER}, password {passwords[CUSTOMER]}",
        "Gateway's book": f"{house.gateway_url}/book",
        "Stripe, Razorpay": f"{house.providers_url}/control/book",
        "Mails": _short(house.slot.mails),
        "Invoices": _short(house.slot.media / "invoices"),
        "Logs": _short(house.slot.logs),
    }
    print("\nThe shop is open; Ctrl-C stops everything.\n")
    print("\n".join(f"  {name:<18}{place}" for name, place in places.items()))
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            for news in house.supervisor.sleep(1.0):
                print(f"  {time.strftime('%H:%M:%S')}  {news}")
    print("\nStopping ...")


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    """One line: what is done, and how long it took."""
    print(f"  {name:<52}", end="", flush=True)
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:5.1f} s")


def _short(path: object) -> str:
    return str(path).removeprefix(f"{BASE_DIR}/")
