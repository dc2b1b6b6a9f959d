"""Which jobs run in child processes and which in threads, as data for those that do not know the declarations."""

from collections.abc import Sequence
from typing import NamedTuple


class ChildRule(NamedTuple):
    """A job runs in a child if its name says so, and where its name says nothing, if its queue does."""

    in_child: Sequence[str] = ()
    in_thread: Sequence[str] = ()
    cpu_queues: Sequence[str] = ()
