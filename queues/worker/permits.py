"""How many jobs a process may still claim under --max-jobs."""

import threading


class Permits:
    """One for each job that may be claimed, `most` in all (None: any number); used by all lanes of a process."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self._free = most
        self._used = 0
        self._lock = threading.Lock()

    @property
    def are_used_up(self) -> bool:
        """Whether so many jobs were claimed; while some are only asked for, they may be free again."""
        return self.most is not None and self._used >= self.most

    def take(self, wanted: int) -> int:
        """How many of the wanted jobs may be claimed."""
        with self._lock:
            if self._free is None:
                return wanted
            taken = min(wanted, self._free)
            self._free -= taken
            return taken

    def use(self, claimed: int, *, of: int) -> None:
        """Of so many that were taken the others are free again."""
        with self._lock:
            self._used += claimed
            if self._free is not None:
                self._free += of - claimed
