"""Doing the damage: each kind of fault, when it begins, and when it ends."""

import contextlib
import heapq
import itertools
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
import redis

from . import plan as kinds
from .house import ChaosHouse
from .look import Eye
from .plan import FaultPlan
from .sink import BUSY
from .victims import StandStill, catch, kill

SPACING = 1.5  # seconds between two faults, so that each meets work under way
TROUBLE = {kinds.PROVIDERS_SILENT: "silence", kinds.PROVIDERS_500: "500", kinds.PROVIDERS_RESET: "reset"}
SENDS = "SELECT count(*) AS sends FROM queues_job WHERE state = 'active' AND queue = 'email'"


@dataclass(frozen=True)
class Injected:
    """A fault that happened: at how many seconds, with how many jobs in hand of whom it hit, sends among them."""

    kind: str
    at: float
    told: str = ""
    busy: int = 0
    sends: int = 0
    pid: int = 0


@dataclass
class Injector:
    """Plays the plan: call `act` again and again; the end of a fault comes at its time, whatever began since."""

    house: ChaosHouse
    eye: Eye
    faults: list[FaultPlan]
    chance: random.Random
    stills: list[StandStill]
    began: float = field(default_factory=time.monotonic)
    injected: list[Injected] = field(default_factory=list)
    endings: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    next_at: float = 0.0
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def done(self) -> bool:
        return not self.faults and not self.endings

    def act(self, orders_asked: int) -> list[str]:
        """Begin and end what is due; what was done, in sentences."""
        self._end_due()
        if not self.faults or orders_asked < self.faults[0].after_orders or time.monotonic() < self.next_at:
            return []
        done = self._begin(self.faults[0])
        self.next_at = time.monotonic() + SPACING
        if done is None:
            return []
        fault = self.faults.pop(0)
        self.injected.append(done)
        return [f"fault {len(self.injected)}: {fault.kind}{f', {done.told}' if done.told else ''}"]

    def _end_due(self) -> None:
        while self.endings and self.endings[0][0] <= time.monotonic():
            heapq.heappop(self.endings)[2]()

    def _meanwhile(self) -> None:
        self._end_due()
        self.house.supervisor.tend()

    def end_all(self) -> None:
        """End at once what has begun."""
        while self.endings:
            heapq.heappop(self.endings)[2]()

    def _begin(self, fault: FaultPlan) -> Injected | None:
        """None if there is nobody to hit at the moment; it is tried again then."""
        at = time.monotonic() - self.began
        match fault.kind:
            case kinds.KILL_WORKER | kinds.STOP_WORKER:
                return self._hit_worker(fault, at)
            case kinds.KILL_SCHEDULER:
                kill(psutil.Process(self.house.supervisor.children["scheduler"].pid))
            case kinds.KILL_WEB:
                return self._kill_web(at)
            case kinds.REDIS_RESTART:
                self.house.own.stop(self.house.own.valkey, signal.SIGKILL)
                self._later(fault.seconds, lambda: self.house.own.start(self.house.own.valkey))
            case kinds.REDIS_FLUSH:
                return self._flush(at)
            case kinds.REDIS_FULL:
                return self._fill(fault, at)
            case kinds.POSTGRES_RESTART | kinds.POSTGRES_CRASH:
                return self._stop_postgres(fault, at)
            case kinds.GATEWAY_SILENT:
                self.house.wire.silent = True
                self._later(fault.seconds, lambda: setattr(self.house.wire, "silent", False))
            case kinds.PROVIDERS_SILENT | kinds.PROVIDERS_500 | kinds.PROVIDERS_RESET:
                self._trouble_providers(fault)
            case kinds.MAIL_BUSY:
                busy = self.house.slot.mails / BUSY
                busy.touch()
                self._later(fault.seconds, lambda: busy.unlink(missing_ok=True))
        return Injected(fault.kind, at, f"for {fault.seconds} s" if fault.seconds else "")

    def _trouble_providers(self, fault: FaultPlan) -> None:
        """For what the shop posts, and where connections are reset for its questions too."""
        methods = ("POST", "GET") if fault.kind == kinds.PROVIDERS_RESET else ("POST",)
        for method in methods:
            wish = {"kind": TROUBLE[fault.kind], "when": "after", "times": 10_000, "method": method}
            self.house.checkout.direct("faults", wish)
        self._later(fault.seconds, self.house.checkout.calm)

    def _later(self, seconds: float, ending: Callable[[], None]) -> None:
        heapq.heappush(self.endings, (time.monotonic() + seconds, next(self.numbers), ending))

    def _hit_worker(self, fault: FaultPlan, at: float) -> Injected | None:
        victim = catch(self.eye, fault.queue, self.chance, self.stills, self._meanwhile)
        if victim is None:
            return None
        if fault.kind == kinds.KILL_WORKER:
            kill(victim.process)
        else:
            self._later(fault.seconds, victim.still.end)
        sends = victim.queues.count("email")
        return Injected(fault.kind, at, str(victim), len(victim.jobs), sends, victim.process.pid)

    def _kill_web(self, at: float) -> Injected:
        """Mostly one of gunicorn's workers; now and then its master."""
        master = psutil.Process(self.house.supervisor.children["web"].pid)
        children = master.children()
        process = self.chance.choice([*children, *children, master])
        kill(process)
        return Injected(kinds.KILL_WEB, at, "the master" if process.pid == master.pid else "one of gunicorn's workers")

    def _flush(self, at: float) -> Injected | None:
        with contextlib.suppress(redis.RedisError), self.house.own.redis() as client:
            keys = int(client.dbsize())
            client.flushall()
            return Injected(kinds.REDIS_FLUSH, at, f"{keys} keys lost")
        return None

    def _fill(self, fault: FaultPlan, at: float) -> Injected | None:
        with contextlib.suppress(redis.RedisError), self.house.own.redis() as client:
            client.config_set("maxmemory", 1)
            self._later(fault.seconds, self._empty)
            return Injected(fault.kind, at, f"for {fault.seconds} s")
        return None

    def _empty(self) -> None:
        with contextlib.suppress(redis.RedisError), self.house.own.redis() as client:
            client.config_set("maxmemory", 0)

    def _stop_postgres(self, fault: FaultPlan, at: float) -> Injected | None:
        found = self.eye.glance(SENDS)
        if not found:
            return None
        crash = fault.kind == kinds.POSTGRES_CRASH
        self.house.own.stop(self.house.own.postgres, signal.SIGQUIT if crash else signal.SIGINT)
        self._later(fault.seconds, lambda: self.house.own.start(self.house.own.postgres))
        return Injected(fault.kind, at, f"away for {fault.seconds} s", sends=found[0]["sends"])
