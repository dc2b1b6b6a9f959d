"""The rows of the table, in the order of their importance."""

from .base import Row
from .delayed import Delayed
from .drain import Drain
from .enqueue import Enqueue
from .growth import Growth
from .latency import StartLatency
from .memory import MemoryOfQueues, MemoryOfSlots
from .orders import FlashSale, OrderToMail, PostOrder
from .promises import Promises

ROWS: list[Row] = [
    Drain("drain_noop_c20_1proc", "noop", slots=1),
    Drain("drain_noop_c20_2proc", "noop", slots=2),
    Drain("outbox_noop_c20_1proc", "noop", slots=1, dispatched=False),
    Drain("outbox_noop_c20_2proc", "noop", slots=2, dispatched=False),
    Drain("jobs_20ms_c20", "nap", slots=1),
    Enqueue("enqueue_1", batch=1),
    Enqueue("enqueue_50", batch=50),
    StartLatency("start_latency_idle"),
    StartLatency("start_latency_busy", elsewhere=10_000),
    PostOrder("post_order"),
    FlashSale("post_order_one_product"),
    OrderToMail("order_to_mail"),
    Delayed("delayed"),
    MemoryOfSlots("memory_worker"),
    MemoryOfQueues("memory_all_queues"),
    Growth("growth"),
    Promises("promises"),
]
