"""rq-scheduler's class, made safe: it moves the ids of due messages and never reads serialized data."""

import logging
import time
from typing import Any

import redis
from rq_scheduler import Scheduler as StockScheduler

from ...brokers.rq.connection import broker_errors, client
from ...brokers.rq.delays import move_due
from ...errors import BrokerUnavailable
from ...supervisor import supervised

log = logging.getLogger(__name__)


class Scheduler(StockScheduler):
    """`manage.py rqscheduler`: moves due messages each `interval` (default 0.5 s) and outlives Redis outages."""

    default_interval = 0.5

    def __init__(self, *args: Any, interval: float | None = None, **kwargs: Any) -> None:
        kwargs["connection"] = client()
        super().__init__(*args, interval=interval or self.default_interval, **kwargs)
        self._stopping = False

    def run(self, burst: bool = False) -> None:
        """Move due messages until stopped; several schedulers may run side by side."""
        self._install_signal_handlers()
        wait = self._interval
        while not self._stopping:
            try:
                with broker_errors():
                    self._send_heartbeat()
                    moved = self.enqueue_jobs()
                if moved:
                    log.info("published %d delayed jobs", moved)
                wait = self._interval
            except BrokerUnavailable as error:
                wait = min(max(wait * 2, 0.5), 10.0)
                log.warning("%s; trying again in %.1f s", error, wait)
            if burst:
                break
            self._sleep(wait)
        self._deregister()

    def _send_heartbeat(self) -> None:
        """Renew rq-scheduler's key of this process; write it again if Redis has lost it."""
        if self.connection.exists(self.key):
            self.heartbeat()
        else:
            self.register_birth()

    def enqueue_jobs(self) -> int:
        return move_due(self.connection)

    def _sleep(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < ends:
            time.sleep(min(0.2, max(0.0, ends - time.monotonic())))

    def _install_signal_handlers(self) -> None:
        supervised.stop_on_signals(self._stop)

    def _stop(self) -> None:
        self._stopping = True

    def _deregister(self) -> None:
        try:
            self.register_death()
        except redis.RedisError as error:
            log.warning("Redis is away (%s)", error)
