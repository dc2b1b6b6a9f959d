"""Finding the worker that has jobs in hand, and making sure of it before it is hit."""

import math
import os
import random
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from .look import Eye, Row

HUNT = 6.0  # seconds to wait for a worker with a job in hand
CHOOSY = 2.0  # of these, for one with a job of the wanted queue
STEP = 0.01
IN_HAND = """
SELECT w.id, w.pid, w.name, array_agg(j.id) AS jobs, array_agg(j.queue) AS queues
FROM queues_worker w JOIN queues_job j ON j.worker_id = w.id AND j.state = 'active'
WHERE w.stopped_at IS NULL AND w.beat_at > clock_timestamp() - interval '3 s' GROUP BY w.id ORDER BY w.id
"""
LIVING = """
SELECT id, pid, name, '{}'::bigint[] AS jobs, '{}'::text[] AS queues FROM queues_worker
WHERE stopped_at IS NULL AND beat_at > clock_timestamp() - interval '3 s' ORDER BY id
"""


@dataclass
class StandStill:
    """When a process stood still by order, in monotonic seconds."""

    pid: int
    began: float
    ended: float = math.inf

    @classmethod
    def of(cls, process: psutil.Process) -> "StandStill":
        """SIGSTOP; a process that is gone stands still, too."""
        still = cls(process.pid, time.monotonic())
        with suppress(psutil.NoSuchProcess):
            process.suspend()
        return still

    @property
    def lasts(self) -> bool:
        return self.ended == math.inf

    def end(self) -> None:
        """SIGCONT."""
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self.pid).resume()
        self.ended = time.monotonic()

    def share(self, since: float, until: float) -> float:
        """How many seconds of the time between these two it covers."""
        return max(0.0, min(until, self.ended) - max(since, self.began))


@dataclass(frozen=True)
class Victim:
    """A worker process that stands still, and the jobs that the ledger says it is running."""

    process: psutil.Process
    still: StandStill
    worker: str
    jobs: list[int] = field(default_factory=list)
    queues: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.worker[:12]} ({self.process.pid}), {len(self.jobs)} jobs in hand"


def catch(
    eye: Eye, queue: str, chance: random.Random, stills: list[StandStill], meanwhile: Callable[[], None]
) -> Victim | None:
    """Stop a worker in the middle of a job, of the wanted queue if one comes up soon; else any worker that lives.

    It is caught when it still has jobs in hand while it stands still. `stills`: where each standstill is written down;
    who stands still already is left alone.
    """
    held = {still.pid for still in stills if still.lasts}
    began = time.monotonic()
    while (waited := time.monotonic() - began) < HUNT:
        meanwhile()
        rows = [row for row in eye.glance(IN_HAND) or [] if row["pid"] not in held]
        wanted = [row for row in rows if queue in row["queues"]]
        if wanted or (rows and waited > CHOOSY):
            victim = _stop(eye, chance.choice(wanted or rows), stills)
            if victim is not None:
                return victim
        time.sleep(STEP)
    idle = [row for row in eye.glance(LIVING) or [] if row["pid"] not in held]
    row = chance.choice(idle) if idle else None
    process = _ours(row["pid"]) if row else None
    if row is None or process is None:
        return None
    stills.append(StandStill.of(process))
    return Victim(process, stills[-1], row["name"])


def _stop(eye: Eye, row: Row, stills: list[StandStill]) -> Victim | None:
    process = _ours(row["pid"])
    if process is None:
        return None
    still = StandStill.of(process)
    stills.append(still)
    in_hand = [found for found in eye.glance(IN_HAND) or [] if found["id"] == row["id"]]
    if in_hand:
        return Victim(process, still, row["name"], in_hand[0]["jobs"], in_hand[0]["queues"])
    still.end()
    return None


def _ours(pid: int) -> psutil.Process | None:
    """The process of that pid if it lives and descends from this one: nobody else's is ever hit, none twice."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE and os.getpid() in (parent.pid for parent in process.parents()):
            return process
    return None


def kill(process: psutil.Process) -> None:
    """SIGKILL; the pid is checked to be the same process still."""
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGKILL)


def kill_all(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        kill(process)
