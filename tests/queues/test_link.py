"""What a job in a child process says goes over its socket, and the wish to stop comes over it."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from queues import context
from queues.ledger import Claim
from queues.lifecycle.execution import Running, Said
from queues.models import Job
from queues.worker.children.channel import SHORTEST, Link, write_line
from queues.worker.children.forkserver import dump_claim, load_claim
from queues.worker.reporter import Reporter
from tests.jobapp.jobs import record
from tests.processes import cut_connections, wait_for
from tests.queues.claims import claim_for

pytestmark = pytest.mark.usefixtures("ledger_db")

Ends = tuple[socket.socket, Link]


@pytest.fixture
def claim() -> Claim:
    return claim_for(None, record, label="a")


@pytest.fixture
def ends(settings) -> Iterator[Ends]:
    """The parent's socket, and the link of a child that reports as often as it may."""
    settings.QUEUE_REPORT = 0.01
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, Link(theirs)


def test_wish_to_stop_that_comes_with_the_claim_is_not_lost(ends: Ends, claim: Claim):
    ours, link = ends
    write_line(ours, {"claim": dump_claim(claim)})
    write_line(ours, {"stop": claim.token.hex})
    wait_for(lambda: link.stop_wanted)

    values = link.next_claim(10)
    assert values is not None
    read = load_claim(values)
    running = Running(read)
    link.begin(running)

    assert read == claim
    assert running.stop_asked


def test_wish_to_stop_is_heard_while_the_job_runs(ends: Ends, claim: Claim):
    ours, link = ends
    running = Running(claim)
    link.begin(running)
    assert not running.stop_asked

    write_line(ours, {"stop": claim.token.hex})

    wait_for(lambda: running.stop_asked)


def test_wish_that_comes_too_late_does_not_stop_the_next_job(ends: Ends, claim: Claim):
    ours, link = ends
    link.begin(Running(claim))
    link.end()
    write_line(ours, {"stop": claim.token.hex})
    wait_for(lambda: link.stop_wanted)

    following = Running(claim_for(None, record, label="b"))
    link.begin(following)

    assert not following.stop_asked


def test_broken_socket_fails_no_job(ends: Ends, claim: Claim):
    ours, link = ends
    running = Running(claim)
    link.begin(running)
    ours.close()

    running.tell(50, "to nobody")
    link.end()

    assert not running.stop_asked


def test_much_is_said_in_few_lines_and_the_last_word_is_told(ends: Ends, claim: Claim):
    # given a child whose reports are throttled
    ours, link = ends
    running = Running(claim)
    link.begin(running)

    # when its job says something new all the time
    began = time.monotonic()
    number = 0
    while time.monotonic() - began < 2.5 * SHORTEST or link.told == Said():
        number += 1
        running.tell(number % 100, f"step {number}")
        time.sleep(0.001)
    running.tell(number % 100, "the end")
    link.end()
    most = (time.monotonic() - began) / SHORTEST + 2

    # then few lines came, and the last has the last word
    lines = [json.loads(line)["said"] for line in ours.recv(1_000_000).splitlines()[1:]]
    assert 2 <= len(lines) <= most
    assert lines[-1] == [number % 100, "the end", ""]


def test_reporter_outlives_the_end_of_its_connection(claim: Claim, settings):
    # given a reporter that has written once
    settings.QUEUE_REPORT = 0.05
    context.began([claim])
    reporter = Reporter()
    thread = threading.Thread(target=reporter.run, daemon=True)
    thread.start()
    try:
        context.running_of(claim).tell(10)
        wait_for(lambda: Job.objects.filter(progress=10).exists())

        # when PostgreSQL ends its connection
        assert cut_connections() >= 1

        # then it writes on
        context.running_of(claim).tell(20)
        wait_for(lambda: Job.objects.filter(progress=20).exists())
    finally:
        reporter.stopping.set()
        thread.join(5)
        context.ended(claim)
    assert not thread.is_alive()
