"""The demo's supervisor: processes stay up while it lives, and none outlives it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bharatmart.demo.errors import CommandFailed, NotInTime
from bharatmart.demo.supervisor import Child, Supervisor
from tests.processes import wait_for

STAY = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STAY
WITH_A_STUBBORN_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {STUBBORN}"
SUPERVISE = f"""
import os, sys
from pathlib import Path
from bharatmart.demo.supervisor import Supervisor
with Supervisor(Path(sys.argv[1]), grace=0.2) as supervisor:
    child = supervisor.start("stubborn", [sys.executable, "-c", {WITH_A_STUBBORN_CHILD!r}], os.environ)
    supervisor.wait_until(lambda: child.log.read_text().count("up") == 2, 20, "both")
    print(child.pid, flush=True)
    supervisor.sleep(60)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path, grace=5.0) as supervisor:
        yield supervisor


def start(supervisor: Supervisor, code: str) -> Child:
    """Start a child and wait until it is up."""
    child = supervisor.start("child", [sys.executable, "-c", code], os.environ)
    supervisor.wait_until(lambda: "up" in child.log.read_text(), 20, "the child")
    return child


def test_killed_child_runs_again(supervisor: Supervisor) -> None:
    child = start(supervisor, STAY)
    killed = child.pid

    os.kill(killed, signal.SIGKILL)
    supervisor.wait_until(lambda: child.log.read_text().count("up") == 2, 20, "the child's second life")

    assert child.pid != killed
    assert psutil.pid_exists(child.pid)


def test_death_and_new_life_are_told(supervisor: Supervisor) -> None:
    child = start(supervisor, STAY)

    os.kill(child.pid, signal.SIGKILL)
    first = wait_for(supervisor.tend)
    second = wait_for(supervisor.tend)

    assert first + second == ["child was killed by SIGKILL", "child runs again"]


def test_child_that_does_not_stay_up_is_told_with_its_log(supervisor: Supervisor) -> None:
    supervisor.start("broken", [sys.executable, "-c", "raise SystemExit('no such port')"], os.environ)

    with pytest.raises(CommandFailed, match=r"broken does not stay up\.\n.*\n(.*\n)*no such port"):
        supervisor.wait_until(lambda: False, 20, "never")


def test_end_of_the_block_ends_the_children(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        child = start(supervisor, STAY)

    assert not psutil.pid_exists(child.pid)
    assert not psutil.pid_exists(supervisor.guard.pid)


def test_child_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    with Supervisor(tmp_path, grace=0.2) as supervisor:
        child = start(supervisor, STUBBORN)

    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL


def test_nothing_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervising:
        assert supervising.stdout is not None
        stubborn = psutil.Process(int(supervising.stdout.readline()))
        family = [stubborn, *stubborn.children(), *psutil.Process(supervising.pid).children()]
        assert len({process.pid for process in family}) == 3  # the child, its own child, the guard

        supervising.kill()

        _, left = psutil.wait_procs(family, timeout=20)
        assert left == []


def test_ctrl_c_in_the_terminal_is_not_for_the_children(supervisor: Supervisor) -> None:
    child = start(supervisor, STAY)

    assert os.getpgid(child.pid) == supervisor.guard.pid != os.getpgrp()


def test_command_that_fails_is_told_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    code = "print('first'); raise SystemExit('the disk is full')"

    with pytest.raises(CommandFailed, match=r"prepare exited with 1\.(\n.*)*\nthe disk is full"):
        supervisor.run("prepare", [sys.executable, "-c", code], os.environ)


def test_what_takes_too_long_is_told(supervisor: Supervisor) -> None:
    with pytest.raises(NotInTime, match=r"Waited 0\.1 s in vain for the moon; the logs are in "):
        supervisor.wait_until(lambda: False, 0.1, "the moon")
