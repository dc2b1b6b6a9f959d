"""The brokers that the contract is for: those of all modes. A new row of the table of modes joins by itself."""

from queues.brokers import broker_class
from queues.settings import MODES

NOBODY = "redis://127.0.0.1:9/0"

BROKERS: dict[str, dict[str, str]] = {
    mode.name: {"WORKER_MODE": mode.name} | ({} if mode.needs_redis_url else {"QUEUE_REDIS_URL": NOBODY})
    for mode in MODES.values()
    if mode.work
}
"""The modes that have workers, each with the environment of one."""

WITHOUT_WORKERS = [name for name in MODES if name not in BROKERS]
DISPATCHED = [name for name in MODES if broker_class(name).dispatches]
NOT_DISPATCHED = [name for name in MODES if name not in DISPATCHED]
