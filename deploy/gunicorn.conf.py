"""`gunicorn -c deploy/gunicorn.conf.py bharatmart.wsgi`; WEB_CONCURRENCY is gunicorn's own number of workers."""

import os
import signal
import sys
from typing import Any

bind = os.environ.get("WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"  # sync views: four times the throughput of gunicorn's asgi worker
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 60
graceful_timeout = 30
keepalive = 5
max_requests = 10_000
max_requests_jitter = 1_000
control_socket_disable = True
accesslog = "-"
preload_app = True  # a process that takes another's place is there at once; new code needs a restart
SWITCH = 0.001  # seconds for which a request that computes may keep the others of its process from going on


def when_ready(server: object) -> None:
    """Load before the fork what the first requests would load, while others wait in their transactions."""
    from django.template.loader import get_template
    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    for name in ("login", "index", "change_list", "change_form"):
        get_template(f"admin/{name}.html")


def post_fork(server: object, worker: object) -> None:
    sys.setswitchinterval(SWITCH)


def post_worker_init(worker: object) -> None:
    """At SIGTERM, tell those who keep their connections that this process is not ready any more."""
    from bharatmart.api import health

    drain: Any = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: Any) -> None:
        health.stopping = True
        drain(number, frame)

    signal.signal(signal.SIGTERM, stop)
