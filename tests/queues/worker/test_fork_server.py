"""The fork server by itself: what its parent does with one child is not another's loss."""

import json
import socket
import subprocess
import sys
from uuid import uuid4

from queues.lifecycle.claim import Claim
from queues.worker.children.channel import dump_claim, write_line
from queues.worker.children.pool import BOOT
from tests.processes import ROOT

CLAIM = Claim(1, "no.such_job", "order", {}, "", None, 1, 3, 0, False, 1, uuid4(), 0, 1_790_000_000.25)


def hand_over(control: socket.socket) -> socket.socket:
    """Ask for a child; our end of its connection."""
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(control, [b"j"], [theirs.fileno()])
    return ours


def test_a_parent_that_gave_up_on_a_child_takes_no_other_along():
    # given a fork server that is still starting, and a child whose parent is gone by then
    control, remote = socket.socketpair()
    command = [sys.executable, "-c", BOOT, str(remote.fileno())]
    with subprocess.Popen(command, pass_fds=[remote.fileno()], cwd=ROOT) as server, control:
        remote.close()
        hand_over(control).close()

        # when another job is handed over
        with hand_over(control) as ours, ours.makefile("rb") as lines:
            write_line(ours, {"claim": dump_claim(CLAIM)})
            ours.settimeout(60)
            messages = [json.loads(next(lines)) for _ in range(3)]
            ours.shutdown(socket.SHUT_WR)
            messages += [json.loads(line) for line in lines]

    # then it gets its child, and the verdict arrives
    assert [next(iter(message)) for message in messages] == ["pid", "began", "verdict", "exit"]
    assert messages[2]["verdict"]["error"].startswith("UnknownJob")
    assert server.returncode == 0
