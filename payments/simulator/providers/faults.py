"""Faults that are planned for the next requests: before the effect or after it."""

import threading
from dataclasses import dataclass, field

KINDS = ("silence", "500", "429", "garbage", "reset", "slow", "held")
LONGEST_HELD = 30.0


@dataclass
class Fault:
    """`when` is before or after the effect; it strikes requests whose path or key has `part` in it, `times` times."""

    kind: str
    when: str = "before"
    part: str = ""
    times: int = 1
    method: str = "POST"


@dataclass
class Held:
    """A request that stands still until it is let go: whether it has come, may go on, and has had its effect."""

    arrived: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    acted: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        self.arrived.set()
        self.let_go.wait(LONGEST_HELD)


@dataclass
class Faults:
    planned: list[Fault] = field(default_factory=list)
    slow: float = 0.6
    hold: float = 30.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    held: Held = field(default_factory=Held)

    def plan(self, kind: str, when: str = "before", part: str = "", times: int = 1, method: str = "POST") -> None:
        if kind not in KINDS or when not in ("before", "after"):
            raise ValueError(f"no fault is called {kind!r} {when!r}")
        with self.lock:
            self.planned.append(Fault(kind, when, part, times, method))

    def strike(self, when: str, method: str, *names: str, kinds: tuple[str, ...] = KINDS) -> str:
        """The kind of fault that this request meets now, or an empty text."""
        with self.lock:
            for fault in self.planned:
                fits = fault.when == when and fault.method == method and any(fault.part in name for name in names)
                if fits and fault.kind in kinds and fault.times > 0:
                    fault.times -= 1
                    return fault.kind
        return ""

    def clear(self) -> None:
        with self.lock:
            self.planned.clear()
            self.held.let_go.set()
            self.held = Held()
