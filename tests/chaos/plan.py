"""What is ordered and what goes wrong when: all decided by the seed before anything starts."""

import random
from dataclasses import dataclass
from itertools import cycle, islice

PAID, UNPAID = "paid", "unpaid"


@dataclass(frozen=True)
class Scenario:
    """A way to order and, with a `gateway`, to pay there.

    `then` is what the buyer does afterwards: nothing, "cancel", "pay again" after a decline; with a payment that waits
    for them "confirm", "confirm twice", "confirm late" (when the order is cancelled), "switch" to a card at Stripe,
    "cancel", or "cancel, then pay" all the same; once it is paid for, "be refunded" in part by staff, or "send back".
    """

    name: str
    weight: int
    token: str
    then: str = ""
    can_be_paid: bool = True
    gateway: str = ""


SCENARIOS = (
    Scenario("paid", 40, "tok_success"),
    Scenario("declined", 9, "tok_decline", can_be_paid=False),
    Scenario("declined, paid again", 5, "tok_decline", then="pay again"),
    Scenario("time-out before the effect", 8, "tok_timeout_before"),
    Scenario("time-out after the effect", 10, "tok_timeout_after"),
    Scenario("slow", 8, "tok_slow"),
    Scenario("error 500 after the effect", 7, "tok_error_after"),
    Scenario("never paid", 7, "", can_be_paid=False),
    Scenario("cancelled by the buyer", 6, "", then="cancel", can_be_paid=False),
    Scenario("Stripe", 9, "pm_card_visa", gateway="stripe"),
    Scenario("Stripe declines", 3, "pm_card_chargeDeclined", gateway="stripe", can_be_paid=False),
    Scenario("Stripe, confirmed by the buyer", 8, "", "confirm", gateway="stripe"),
    Scenario("Razorpay", 10, "", "confirm", gateway="razorpay"),
    Scenario("Razorpay, paid too late", 3, "", "confirm late", gateway="razorpay"),
    Scenario("Razorpay, then Stripe instead", 4, "", "switch", gateway="razorpay"),
    Scenario("Razorpay, cancelled by the buyer", 3, "", "cancel", can_be_paid=False, gateway="razorpay"),
    Scenario("Razorpay, cancelled, then paid", 4, "", "cancel, then pay", can_be_paid=False, gateway="razorpay"),
    Scenario("Razorpay, paid twice", 5, "", "confirm twice", gateway="razorpay"),
    Scenario("refunded in part", 6, "tok_success", "be refunded"),
    Scenario("sent back", 4, "tok_success", "send back"),
    Scenario("Stripe, sent back", 3, "pm_card_visa", "send back", gateway="stripe"),
)

KILL_WORKER, KILL_SCHEDULER, KILL_WEB = "worker killed", "scheduler killed", "web process killed"
STOP_WORKER = "worker stopped beyond its lease"
REDIS_RESTART, REDIS_FLUSH, REDIS_FULL = "Redis restarted empty", "Redis flushed", "Redis full"
POSTGRES_RESTART, POSTGRES_CRASH = "PostgreSQL restarted", "PostgreSQL crashed and restarted"
PROVIDERS_SILENT, PROVIDERS_500 = "providers silent after the effect", "providers answer 500 after it"
PROVIDERS_RESET = "providers reset connections"
GATEWAY_SILENT, MAIL_BUSY = "gateway silent after the effect", "mail server answers 451"

SECONDS: dict[str, tuple[float, float]] = {
    KILL_WORKER: (0, 0),
    KILL_SCHEDULER: (0, 0),
    KILL_WEB: (0, 0),
    STOP_WORKER: (6, 11),
    REDIS_RESTART: (0, 2),
    REDIS_FLUSH: (0, 0),
    REDIS_FULL: (2, 5),
    POSTGRES_RESTART: (0, 1),
    POSTGRES_CRASH: (0, 1),
    GATEWAY_SILENT: (3, 6),
    PROVIDERS_SILENT: (3, 6),
    PROVIDERS_500: (2, 4),
    PROVIDERS_RESET: (2, 4),
    MAIL_BUSY: (2, 4),
}
"""Every kind of fault, and how long it lasts (for a restart: how long the server stays away)."""

MORE = (
    KILL_WORKER,
    STOP_WORKER,
    KILL_WORKER,
    KILL_WEB,
    KILL_WORKER,
    REDIS_RESTART,
    KILL_WORKER,
    GATEWAY_SILENT,
    PROVIDERS_SILENT,
    KILL_WORKER,
    REDIS_FLUSH,
    KILL_WORKER,
    POSTGRES_CRASH,
    KILL_WORKER,
    MAIL_BUSY,
    KILL_WORKER,
    REDIS_FULL,
    KILL_WORKER,
    STOP_WORKER,
    KILL_WORKER,
)
"""What follows after one of each kind: mostly kills of workers, the hardest on the engine."""

PREFERRED = ("email", "order", "payment", "inventory-release")
SCARCE_SHARE = 0.12
BUYERS = 5


@dataclass(frozen=True)
class OrderPlan:
    """An order to place: of `wanted` = (place on the shelf, pieces); scarce: the last units of a product."""

    number: int
    scenario: Scenario
    wanted: tuple[tuple[int, int], ...]
    scarce: bool
    pause: float


@dataclass(frozen=True)
class FaultPlan:
    """A fault that comes when so many orders were asked for. `queue`: whose jobs a victim should have in hand."""

    number: int
    kind: str
    after_orders: int
    seconds: float
    queue: str


@dataclass(frozen=True)
class Plan:
    seed: int
    orders: tuple[OrderPlan, ...]
    faults: tuple[FaultPlan, ...]


def make_plan(seed: int, orders: int, faults: int, shelf: int = 20) -> Plan:
    """The same for the same numbers. There are at least as many faults as kinds."""
    chance = random.Random(seed)
    planned = tuple(_order(number, chance, shelf) for number in range(orders))
    kinds = [*SECONDS, *islice(cycle(MORE), max(0, faults - len(SECONDS)))]
    chance.shuffle(kinds)
    return Plan(seed, planned, tuple(_fault(n, kind, len(kinds), orders, chance) for n, kind in enumerate(kinds)))


def _order(number: int, chance: random.Random, shelf: int) -> OrderPlan:
    scenario = chance.choices(SCENARIOS, [scenario.weight for scenario in SCENARIOS])[0]
    places = chance.sample(range(shelf), chance.choice((1, 1, 2, 3)))
    wanted = tuple((place, chance.choice((1, 1, 2))) for place in places)
    return OrderPlan(number, scenario, wanted, chance.random() < SCARCE_SHARE, pause=chance.expovariate(1 / 0.8))


def _fault(number: int, kind: str, faults: int, orders: int, chance: random.Random) -> FaultPlan:
    """Spread over the orders: the first ones and the last ones come in peace."""
    after = int(orders * (0.02 + 0.93 * (number + chance.random()) / faults))
    return FaultPlan(number, kind, after, round(chance.uniform(*SECONDS[kind]), 1), chance.choice(PREFERRED))
