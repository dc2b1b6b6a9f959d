"""Processes that outlive the command that starts them, and that nobody mistakes for another's."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

# The shell ends at once, so the server belongs to init: no zombie, no wait, none of our descriptors.
_DETACH = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


@dataclass(frozen=True)
class Account:
    """Whose process it is; None: ours."""

    uid: int | None = None
    gid: int | None = None


def run_as(account: Account, argv: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a bare environment; both outputs in `stdout`."""
    groups: list[int] | None = None if account.uid is None else []
    return subprocess.run(
        argv,
        cwd=folder,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        user=account.uid,
        group=account.gid,
        extra_groups=groups,
        start_new_session=True,
        check=False,
    )


def spawn(account: Account, argv: list[str], folder: Path, log: Path) -> int:
    """Start a detached process that writes to the log; its pid."""
    return int(run_as(account, ["/bin/sh", "-c", _DETACH, "sh", str(log), *argv], folder).stdout.strip())


def is_running(pid: int, mark: str) -> bool:
    """Whether this pid lives and has `mark` as one of its arguments (a pid may have passed to another process)."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and mark in process.cmdline()
    except psutil.Error:
        return False


def end(pid: int, mark: str, gently: signal.Signals, seconds: float = 10.0) -> None:
    """Stop the process by the gentle signal, or after these seconds by SIGKILL."""
    for number in (gently, signal.SIGKILL):
        if is_running(pid, mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if _wait_gone(pid, mark, seconds):
            return


def _wait_gone(pid: int, mark: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while is_running(pid, mark):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
