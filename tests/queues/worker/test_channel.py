"""What a job in a child process reports goes over its socket, and the request to stop comes over it."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from queues.helper_thread import HelperThread
from queues.lifecycle.claim import Claim
from queues.lifecycle.execution import NOTHING_REPORTED
from queues.models import Job
from queues.worker.children.channel import SHORTEST, Channel, dump_claim, load_claim, write_line
from queues.worker.held import Held
from queues.worker.reporter import Reporter
from queues.worker.signal_sender import SignalSender
from tests.jobapp.jobs import record
from tests.processes import cut_connections, wait_for
from tests.queues.claims import claim_for, execution_of

pytestmark = pytest.mark.usefixtures("ledger_db")

Ends = tuple[socket.socket, Channel]


@pytest.fixture
def claim() -> Claim:
    return claim_for(None, record, label="a")


@pytest.fixture
def ends(settings) -> Iterator[Ends]:
    """The parent's socket, and the channel of a child that reports as often as it may."""
    settings.QUEUE_REPORT = 0.01
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, Channel(theirs)


def test_request_to_stop_that_comes_with_the_claim_is_not_lost(ends: Ends, claim: Claim):
    ours, channel = ends
    write_line(ours, {"claim": dump_claim(claim)})
    write_line(ours, {"stop": claim.token.hex})
    wait_for(lambda: channel.stop_requested)

    values = channel.next_claim(10)
    assert values is not None
    read = load_claim(values)
    execution = execution_of(read)
    channel.begin(execution)

    assert read == claim
    assert execution.stop_asked


def test_request_to_stop_arrives_while_the_job_runs(ends: Ends, claim: Claim):
    ours, channel = ends
    execution = execution_of(claim)
    channel.begin(execution)
    assert not execution.stop_asked

    write_line(ours, {"stop": claim.token.hex})

    wait_for(lambda: execution.stop_asked)


def test_request_that_comes_too_late_does_not_stop_the_next_job(ends: Ends, claim: Claim):
    ours, channel = ends
    channel.begin(execution_of(claim))
    channel.end()
    write_line(ours, {"stop": claim.token.hex})
    wait_for(lambda: channel.stop_requested)

    following = execution_of(claim_for(None, record, label="b"))
    channel.begin(following)

    assert not following.stop_asked


def test_broken_socket_fails_no_job(ends: Ends, claim: Claim):
    ours, channel = ends
    execution = execution_of(claim)
    channel.begin(execution)
    ours.close()

    execution.set_progress(50, "to nobody")
    channel.end()

    assert not execution.stop_asked


def test_many_reports_are_sent_in_few_lines_and_the_last_one_is_sent(ends: Ends, claim: Claim):
    # given a child whose reports are throttled
    ours, channel = ends
    execution = execution_of(claim)
    channel.begin(execution)

    # when its job reports something new all the time
    began = time.monotonic()
    number = 0
    while time.monotonic() - began < 2.5 * SHORTEST or channel.sent == NOTHING_REPORTED:
        number += 1
        execution.set_progress(number % 100, f"step {number}")
        time.sleep(0.001)
    execution.set_progress(number % 100, "the end")
    channel.end()
    most = (time.monotonic() - began) / SHORTEST + 2

    # then few lines came, and the last has the last report
    lines = [json.loads(line)["report"] for line in ours.recv(1_000_000).splitlines()[1:]]
    assert 2 <= len(lines) <= most
    assert lines[-1] == [number % 100, "the end", ""]


def test_reporter_outlives_the_end_of_its_connection(claim: Claim):
    # given a reporter that has written once
    held, execution = Held(), execution_of(claim)
    held.begin([execution])
    helper = HelperThread("reporter", Reporter(held, SignalSender()).report, every=0.05)
    helper.start()
    try:
        execution.set_progress(10)
        wait_for(lambda: Job.objects.filter(progress=10).exists())

        # when PostgreSQL ends its connection
        assert cut_connections() >= 1

        # then it writes on
        execution.set_progress(20)
        wait_for(lambda: Job.objects.filter(progress=20).exists())
    finally:
        helper.stop()
        helper.join(5)
    assert not helper.is_alive()
