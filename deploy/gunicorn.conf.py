"""`gunicorn -c deploy/gunicorn.conf.py bharatmart.wsgi`; WEB_CONCURRENCY is gunicorn's own number of workers."""

import os
import signal
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


def post_worker_init(worker: object) -> None:
    """At SIGTERM, tell those who keep their connections that this process is not ready any more."""
    from bharatmart.api import health

    drain: Any = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: Any) -> None:
        health.stopping = True
        drain(number, frame)

    signal.signal(signal.SIGTERM, stop)
