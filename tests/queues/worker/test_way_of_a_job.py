"""The way of one rq job through the code, from the broker's answer to its durable verdict."""

import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from redis import Redis

from queues.brokers.rq.broker import RqBroker
from queues.brokers.rq.consumer import RqConsumer
from queues.helper_thread import HelperThread
from queues.lifecycle.execution import Execution
from queues.lifecycle.offer import Offer
from queues.states import JobState
from queues.worker import completer
from queues.worker.threads import JobThreads
from tests.jobapp.jobs import record
from tests.processes import ROOT
from tests.queues.facts import wait_for_state
from tests.queues.in_thread import run_in_thread

LOOP = "queues/helper_thread.py"
"""The loop of the helper threads turns beside the way."""
NAMED = re.compile(r"^[0-9]+\. `(queues/[a-z_/]+\.py)`", re.MULTILINE)


class Way:
    """The files of the engine whose functions are called for a job, in the threads that have to do with it.

    The fetcher's part is between the broker's answer and the hand-over to a job thread; that of the others is
    between the hand-over and the verdict.
    """

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.threads: tuple[str, ...] = ()

    def follow(self, thread: str) -> None:
        """From now on the calls of this thread, which has this name."""
        sys.setprofile(partial(self._profile, thread))

    def _profile(self, thread: str, frame: FrameType, event: str, _: Any) -> None:
        """Called also where locks of `threading` are held, so it takes none."""
        if event == "call" and thread.startswith(self.threads):
            file = Path(frame.f_code.co_filename)
            if file.is_relative_to(ROOT / "queues"):
                self.files.add(str(file.relative_to(ROOT)))


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> Way:
    found = Way()
    loop, serve = HelperThread._run, JobThreads._serve

    def followed_loop(self: HelperThread) -> None:
        found.follow(self.name)
        loop(self)

    def followed_serve(self: JobThreads) -> None:
        found.follow(self.name)
        serve(self)

    monkeypatch.setattr(HelperThread, "_run", followed_loop)
    monkeypatch.setattr(JobThreads, "_serve", followed_serve)
    parse, run, finish = RqConsumer._parsed, JobThreads.run, completer.ledger.finish

    def answered(self: RqConsumer, messages: list[bytes], queue: str) -> list[Offer]:
        if messages:
            found.threads = ("fetcher-",)
        return parse(self, messages, queue)

    def handed_over(self: JobThreads, executions: Sequence[Execution]) -> None:
        found.threads = ("fetcher-", "job-", "completer-")
        run(self, executions)
        found.threads = ("job-", "completer-")

    def durable(*args: Any) -> dict[int, JobState]:
        states = finish(*args)
        found.threads = ()
        return states

    monkeypatch.setattr(RqConsumer, "_parsed", answered)
    monkeypatch.setattr(JobThreads, "run", handed_over)
    monkeypatch.setattr(completer.ledger, "finish", durable)
    return found


def test_tour_names_the_files_on_the_way(ledger_db: None, redis: Redis, settings: Any, way: Way):
    # given a worker that has run a job, so that what is made once is there
    settings.QUEUE_POLL = 0.1
    with run_in_thread("order", RqBroker()):
        wait_for_state(record.enqueue(label="first").id, "completed")
        way.files.clear()

        # when it runs another
        wait_for_state(record.enqueue(label="second").id, "completed")

    # then its way leads through the files that the tour names
    _, _, way_of_the_job = (ROOT / "docs" / "tour.md").read_text().partition("## The way through a worker")
    assert sorted(way.files - {LOOP}) == sorted(NAMED.findall(way_of_the_job))
