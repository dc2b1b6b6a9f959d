"""The brokers whose engine must behave the same, each as the environment of a worker. A further one joins here."""

NOBODY = "redis://127.0.0.1:9/0"

BROKERS: dict[str, dict[str, str]] = {
    "rq": {"WORKER_MODE": "rq"},
    "in-process": {"WORKER_MODE": "in-process", "QUEUE_REDIS_URL": NOBODY},
}
