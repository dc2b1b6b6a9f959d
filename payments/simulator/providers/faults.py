"""Faults that are planned for the next requests: before the effect or after it."""

import threading
from dataclasses import dataclass, field

KINDS = ("silence", "500", "429", "garbage", "reset", "slow")


@dataclass
class Fault:
    """`when` is before or after the effect; it strikes requests whose path or key has `part` in it, `times` times."""

    kind: str
    when: str = "before"
    part: str = ""
    times: int = 1
    method: str = "POST"


@dataclass
class Faults:
    planned: list[Fault] = field(default_factory=list)
    slow: float = 0.6
    hold: float = 30.0
    lock: threading.Lock = field(default_factory=threading.Lock)

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
