"""The rq worker class behind `manage.py rqworker`: rq's registration and options around our WorkerProcess."""

import logging
import os
from collections.abc import Sequence
from typing import Any

import redis
import rq
from django.conf import settings
from rq.serializers import JSONSerializer
from rq.worker.base import WorkerStatus

from ...brokers import current
from ...brokers.base import Consumer
from ...brokers.rq.connection import await_redis, client, refuse_unfit
from ...brokers.rq.consumer import RqConsumer
from ...brokers.rq.keys import delete_wrong_types
from ...brokers.rq.messages import MessageQueue
from ...settings import DEFAULT_QUEUE, queues_of
from ...supervisor import supervised

log = logging.getLogger(__name__)


def served_queues(names: Sequence[str]) -> list[str]:
    """The queues to serve: `default` alone (django-rq's choice when none is named) means those of WORKER_TYPE."""
    if list(names) == [DEFAULT_QUEUE]:
        return queues_of(settings.WORKER_TYPE)
    return list(names)


def run_worker(queues: list[str], *, burst: bool) -> None:
    """What `manage.py work` does in this mode: run jobs as an rq worker that rq's tools see."""
    Worker(queues).work(burst=burst)


class Worker(rq.Worker):
    """Registers itself as an rq worker and runs jobs through the ledger, many at once."""

    def __init__(self, queues: Any, *args: Any, name: str | None = None, **kwargs: Any) -> None:
        listed = [queues] if isinstance(queues, str | rq.Queue) else list(queues)
        await_redis()
        names = served_queues([queue if isinstance(queue, str) else queue.name for queue in listed])
        kwargs |= {"connection": client(), "queue_class": MessageQueue, "serializer": JSONSerializer}
        kwargs["exception_handlers"] = None
        super().__init__([MessageQueue(queue, connection=client()) for queue in names], name=name, **kwargs)
        self.busy: bool | None = None

    def _set_connection(self, connection: Any) -> Any:
        return connection

    def work(  # type: ignore[override]  # rq's logging options mean nothing here
        self,
        burst: bool = False,
        logging_level: str | None = None,
        max_jobs: int | None = None,
        max_idle_time: int | None = None,
        **_: Any,
    ) -> bool:
        """Run jobs until stopped; True if any was run. Refuses a Redis that cannot carry jobs.

        Ends the process if a job hangs in it: the command's parent or rqworker-pool starts another.
        """
        from ...worker.process import WorkerProcess

        refuse_unfit(self.connection)
        await_redis(self._register)
        await_redis(lambda: self.set_state(WorkerStatus.IDLE))
        log.info("worker %s serves %s", self.name, ", ".join(self.queue_names()))
        self.process = WorkerProcess(
            self.queue_names(),
            current(),
            name=self.name,
            burst=burst,
            max_jobs=max_jobs,
            max_idle_time=max_idle_time,
            on_open=self._attach,
            replaceable=True,
        )
        supervised.stop_on_signals(self.process.stop)
        try:
            ran = bool(self.process.run())
        finally:
            self._deregister()
        if self.process.is_hung:
            supervised.exit_for_replacement()
        return ran

    def _register(self) -> None:
        """Write rq's worker key, and delete what is of a wrong type under our keys."""
        delete_wrong_types(self.connection, {self.key: b"hash"})
        self._delete_own_old_key()
        self.register_birth()

    def _delete_own_old_key(self) -> None:
        """rq refuses a name whose key exists. Ours may be there: a killed child whose name we have has left it, or we
        wrote it before and the reply was lost."""
        host, pid = self.connection.hmget(self.key, "hostname", "pid")
        is_ours = pid and (int(pid) == os.getpid() or supervised.is_dead_sibling(int(pid)))
        if is_ours and host == str(self.hostname).encode():
            self.connection.delete(self.key)

    def _attach(self, consumer: Consumer) -> None:
        if isinstance(consumer, RqConsumer):
            consumer.on_beat = self._heartbeat
            consumer.registries.worker_keys = (self.key,)

    def _heartbeat(self) -> None:
        """Keep rq's worker key up to date; write it again if Redis lost it, also over mere job counts."""
        if self.connection.type(self.key) != b"hash" or not self.connection.hexists(self.key, "birth"):
            self.connection.delete(self.key)
            self._register()
            self.busy = None
        self.heartbeat()
        busy = bool(self.process.held)
        if busy is not self.busy:
            self.busy = busy
            self.set_state(WorkerStatus.BUSY if busy else WorkerStatus.IDLE)

    def _deregister(self) -> None:
        try:
            self.register_death()
        except redis.RedisError as error:
            log.warning("could not deregister from Redis: %s", error)
