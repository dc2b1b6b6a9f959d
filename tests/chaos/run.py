"""A run from its first line to its last."""

import contextlib
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil

from bharatmart.demo.shop import Shop, book_of
from bharatmart.demo.slot import Slot
from bharatmart.demo.supervisor import Supervisor
from bharatmart.environment import BASE_DIR

from .buyers import Buyer, Shelf, Stream
from .desk import Desk
from .evidence import Evidence, Finding, read_mails, states_of
from .faults import Injector
from .house import LEASE, ChaosHouse
from .idle import IdleWatch
from .look import Eye
from .place import OwnServers, make_slot, own_servers, remove
from .plan import BUYERS, GATEWAY_SILENT, MAIL_BUSY, Plan, make_plan
from .promises_of_engine import ENGINE
from .promises_of_shop import SHOP
from .sink import REFUSED
from .telling import Progress, enough_fire, enough_paid, enough_refunds, table_of_faults, table_of_promises
from .victims import StandStill, kill_all

GLANCE = 0.05
ORDERS_PER_LAST_UNIT = 60
SHELF = """
SELECT p.id, p.sku FROM orders_product p JOIN orders_stock s ON s.product_id = p.id
WHERE s.on_hand >= 100 AND p.price_paise < 300000 ORDER BY p.sku
"""
COUNTS = """
SELECT count(*) FILTER (WHERE j.state = 'waiting' AND p.id IS NULL) AS waiting,
       count(*) FILTER (WHERE j.state = 'active') AS active,
       count(*) FILTER (WHERE j.state NOT IN ('waiting', 'active')) AS done,
       count(*) FILTER (WHERE j.state = 'failed') AS failed,
       count(o.job_id) FILTER (WHERE p.id IS NULL) AS outbox
FROM queues_job j LEFT JOIN queues_outbox o ON o.job_id = j.id
LEFT JOIN payments_payment p ON j.name = 'payments.verify_payment' AND p.id = (j.args ->> 'payment_id')::bigint
    AND p.state IN ('captured', 'declined', 'cancelled')
"""
"""Without those that will ask about a payment that is decided: their next time may be minutes away."""


ADMIN = "admin@bharatmart.example"
AN_HOUR_AGO = "UPDATE payments_payment SET submitted_at = submitted_at - interval '1 hour'"
COMPARE = (sys.executable, "manage.py", "queues", "schedule", "run", "payments.reconcile_payments")
UNCOMPARED = """
SELECT id FROM payments_payment
WHERE submitted_at IS NOT NULL AND reconciled_at IS NULL AND idempotency_key NOT LIKE 'beside-%'
"""


def run(seed: int, orders: int, faults: int, limit: float) -> int:
    """What to exit with: 0 if every promise was kept. Raises DemoError, DevServerError."""
    slot, kept, family = make_slot(seed), False, list[psutil.Process]()
    try:
        with contextlib.ExitStack() as stack:
            print(f"Chaos, SEED={seed}: {orders} orders, {faults} faults. Everything is in {slot.folder}")
            servers = stack.enter_context(own_servers(slot.folder))
            stack.callback(kill_all, family)  # fork servers that were still starting
            supervisor = stack.enter_context(Supervisor(slot.logs, BASE_DIR, grace=6.0))
            house = ChaosHouse(supervisor, slot, servers, secret_key=secrets.token_urlsafe(50))
            stack.callback(house.close)
            stack.callback(lambda: family.extend(psutil.Process().children(recursive=True)))
            kept = _Run(make_plan(seed, orders, faults), slot, servers, house, limit).play()
    finally:
        if kept:
            remove(slot)
        else:
            print(f"Database, book, mails and logs stay in {slot.folder}")
    return 0 if kept else 1


@dataclass
class _Run:
    plan: Plan
    slot: Slot
    servers: OwnServers
    house: ChaosHouse
    limit: float
    progress: Progress = field(default_factory=Progress)
    buyers: list[Buyer] = field(default_factory=list)
    late: str = ""
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    def play(self) -> bool:
        """Open the shop, let orders and faults come, wait until all has settled, judge."""
        self.eye = Eye(self.servers.database_url)
        self.stills: list[StandStill] = []
        self.idle = IdleWatch(Eye(self.servers.database_url), self.stills)
        try:
            self._open()
            initial = self._stock_shelves()
            self._start_buyers()
            self._under_fire()
            self._settle()
            self._compare_books()
            return self._judge(initial)
        finally:
            self.stream.stop.set() if self.buyers else None
            for buyer in self.buyers:
                buyer.at_the_desk.close()
            self.idle.over.set()
            self.eye.close()

    def _open(self) -> None:
        with self._step("gateway, mail server, web, scheduler"):
            self.house.start_what_needs_no_tables()
        with self._step("tables and products"):
            self.house.prepare(ADMIN, self.password)
        with self._step("workers"):
            self.house.start_workers()
            shop = Shop(self.house.url)
            self.house.wait_until_up(shop)
            shop.close()

    def _stock_shelves(self) -> dict[int, int]:
        """Leave only a few pieces of some products; what there is of each at the start."""
        rows = self.eye.rows(SHELF)
        plenty, scarce = rows[:20], rows[20:22]
        ids = [row["id"] for row in scarce]
        left = 1 + len(self.plan.orders) // ORDERS_PER_LAST_UNIT
        self.eye.rows("UPDATE orders_stock SET on_hand = %s WHERE product_id = ANY(%s)", left, ids)
        self.shelf = Shelf([row["sku"] for row in plenty], [row["sku"] for row in scarce])
        return {
            row["product_id"]: row["on_hand"] for row in self.eye.rows("SELECT product_id, on_hand FROM orders_stock")
        }

    def _start_buyers(self) -> None:
        self.stream = Stream(self.plan.orders)
        key, staff = f"chaos-{self.plan.seed}", (ADMIN, self.password)
        self.desk = Desk(self.house.url, staff, self._have_all_gone, self.stream.stop)
        for number in range(BUYERS):
            shop, name = Shop(self.house.url), f"buyer-{number}"
            self.buyers.append(Buyer(name, shop, self.stream, self.shelf, key, self.house.checkout, self.desk))
        for person in (*self.buyers, self.desk):
            person.start()

    def _have_all_gone(self) -> bool:
        return not any(buyer.is_alive() for buyer in self.buyers)

    def _under_fire(self) -> None:
        """Until all orders are placed and all faults are over."""
        chance = random.Random(self.plan.seed)
        self.injector = Injector(self.house, self.eye, list(self.plan.faults), chance, self.stills)
        self.idle.start()
        while not self.injector.done or self.desk.is_alive() or not self._have_all_gone():
            news = self.house.supervisor.sleep(GLANCE)
            self.progress.tell([*news, *self.injector.act(self.stream.asked)])
            self._show()
            if self.progress.seconds > self.limit:
                self.late = f"after {self.limit:.0f} s orders and faults were still coming: {self._line()}"
                break
        self.stream.stop.set()
        self.injector.end_all()

    def _settle(self) -> None:
        """Until no job is left to run. A worker that was stopped beyond its lease has woken up by then."""
        self.progress.tell(["all orders are placed, all faults are over; everything settles"])
        self._wait_until_quiet()

    def _compare_books(self) -> None:
        """Let reconciliation find what no webhook and no poll has told, as it does within the hour."""
        self.eye.rows(AN_HOUR_AGO)
        while not self.late and (left := len(self.eye.rows(UNCOMPARED))):
            self.progress.tell([f"the books of {left} payments are compared"])
            self.house.supervisor.run("compare", list(COMPARE), self.house.env)
            self._wait_until_quiet()

    def _wait_until_quiet(self) -> None:
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < LEASE / 2:
            if self.progress.seconds > self.limit:
                self.late = self.late or f"not settled after {self.limit:.0f} s: {self._line()}"
                break
            self.progress.tell(self.house.supervisor.sleep(4 * GLANCE))
            counts = self.eye.glance(COUNTS)
            if not counts or counts[0]["waiting"] or counts[0]["active"] or counts[0]["outbox"]:
                quiet_since = time.monotonic()
            self._show()
        self.progress.end()

    def _judge(self, initial: dict[int, int]) -> bool:
        evidence = Evidence(
            ask=self.eye.rows,
            accepted=self.stream.accepted,
            initial_stock=initial,
            book=[*book_of(self.house.gateway_url), *self.house.checkout.book()],
            mails=read_mails(self.slot.mails),
            media=self.slot.media,
            given_back=self.desk.given_back,
            buyers=len(self.buyers),
            hit=frozenset(fault.pid for fault in self.injector.injected if fault.pid),
            sends_hit=sum(fault.sends for fault in self.injector.injected),
        )
        findings = [promise(evidence) for promise in (*SHOP, *ENGINE)]
        findings += [self.idle.found(), self._no_surprise(), enough_fire(self.injector.injected, self._unanswered())]
        findings += [enough_refunds(evidence.book, len(self.stream.accepted)), enough_paid(evidence)]
        print("\n".join(["", *table_of_faults(self.injector.injected), "", *table_of_promises(findings), ""]))
        broken = sum(not found.kept for found in findings)
        print(
            f"SEED={self.plan.seed}: {self._outcomes()}; {len(findings) - broken} of {len(findings)} kept, "
            f"after {self.progress.seconds:.0f} s."
        )
        return not broken

    def _no_surprise(self) -> Finding:
        """Buyers got answers that the API promises, and all settled in time."""
        surprises = (*self.stream.unexpected, *self.desk.unexpected, *([self.late] if self.late else []))
        told = f"{self.stream.asked} asked for, {self.stream.sold_out} sold out, {self.stream.tried_again} tries again"
        return Finding("buyers get proper answers, all settles in time", told, surprises)

    def _unanswered(self) -> dict[str, int]:
        """Of the faults that spoil answers: how many they spoiled."""
        refused = self.slot.mails / REFUSED
        mails = refused.stat().st_size if refused.exists() else 0
        return {GATEWAY_SILENT: self.house.wire.lost, MAIL_BUSY: mails}

    def _outcomes(self) -> str:
        states = states_of(self.eye.rows)
        ends = Counter(states.get(accepted.order_id, "lost") for accepted in self.stream.accepted)
        return ", ".join(f"{count} {state}" for state, count in sorted(ends.items()))

    def _show(self) -> None:
        if self.progress.is_due():
            self.progress.show(self._line())

    def _line(self) -> str:
        found = self.eye.glance(COUNTS)
        jobs = "{waiting} waiting, {active} active, {done} done, {failed} failed".format(**found[0]) if found else "?"
        stream = f"orders {len(self.stream.accepted)}/{len(self.plan.orders)} ({self.stream.sold_out} sold out)"
        faults = f"faults {len(self.injector.injected)}/{len(self.plan.faults)}"
        return f"{stream} | jobs {jobs} | {faults}"

    @contextlib.contextmanager
    def _step(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.progress.tell([f"{what}: {time.monotonic() - began:.1f} s"])
