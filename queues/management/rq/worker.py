"""The rq worker class behind `manage.py rqworker`: rq's registration and options around our executor."""

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
    """The queues to serve: `default` alone (what django-rq asks for when none is named) means WORKER_TYPE's."""
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
        """Run jobs until told to stop; True if any was run. Refuses a Redis that cannot carry jobs.

        Ends the process if a job hangs in it: the command's parent or rqworker-pool starts another.
        """
        from ...worker.process import Executor

        refuse_unfit(self.connection)
        await_redis(self._sign_in)
        await_redis(lambda: self.set_state(WorkerStatus.IDLE))
        log.info("worker %s serves %s", self.name, ", ".join(self.queue_names()))
        self.executor = Executor(
            self.queue_names(),
            current(),
            name=self.name,
            burst=burst,
            max_jobs=max_jobs,
            max_idle_time=max_idle_time,
            on_start=self._attach,
            replaceable=True,
        )
        supervised.stop_on_signals(self.executor.stop)
        try:
            ran = bool(self.executor.run())
        finally:
            self._say_goodbye()
        if self.executor.wedged:
            supervised.exit_wedged()
        return ran

    def _sign_in(self) -> None:
        """Write rq's worker key, over whatever else may lie where our keys belong."""
        delete_wrong_types(self.connection, {self.key: b"hash"})
        self._forget_former_self()
        self.register_birth()

    def _forget_former_self(self) -> None:
        """A killed child has left its key, and with it the name that this one bears now; or this one has signed in
        before, but was not answered."""
        host, pid = self.connection.hmget(self.key, "hostname", "pid")
        is_ours = pid and (int(pid) == os.getpid() or supervised.is_dead_sibling(int(pid)))
        if is_ours and host == str(self.hostname).encode():
            self.connection.delete(self.key)

    def _attach(self, consumer: Consumer) -> None:
        if isinstance(consumer, RqConsumer):
            consumer.on_beat = self._beat
            consumer.registries.worker_keys = (self.key,)

    def _beat(self) -> None:
        """Keep rq's worker key true; write it anew if Redis has lost it, also where a job has counted itself since."""
        if self.connection.type(self.key) != b"hash" or not self.connection.hexists(self.key, "birth"):
            self.connection.delete(self.key)
            self._sign_in()
            self.busy = None
        self.heartbeat()
        busy = bool(self.executor.in_flight)
        if busy is not self.busy:
            self.busy = busy
            self.set_state(WorkerStatus.BUSY if busy else WorkerStatus.IDLE)

    def _say_goodbye(self) -> None:
        try:
            self.register_death()
        except redis.RedisError as error:
            log.warning("could not tell Redis good-bye: %s", error)
