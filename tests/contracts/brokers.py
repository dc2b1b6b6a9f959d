"""The modes whose workers must behave the same, each as the environment of a worker. New ones join by themselves."""

from queues.settings import MODES

NOBODY = "redis://127.0.0.1:9/0"

BROKERS: dict[str, dict[str, str]] = {
    mode.name: {"WORKER_MODE": mode.name} | ({} if mode.needs_redis_url else {"QUEUE_REDIS_URL": NOBODY})
    for mode in MODES.values()
    if mode.work
}
