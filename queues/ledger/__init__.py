"""The ledger: every job is a row here, and nothing else writes a job's state. It asks nobody what to do.

Each verb is one conditional statement: the old state (and the token or the offer) stands in its WHERE. A job waits if
and only if it has a row in the outbox that is not withdrawn; whoever touches both locks the outbox row first.
"""

from .cancellations import ask_to_stop, cancel, withdraw
from .claims import Admitted, claim
from .enqueue import enqueue
from .manual_retries import retry
from .progress import to_stop, write_progress
from .rescues import held_by, reassign, release_unacknowledged, rescue
from .verdicts import count_late_verdict, finish

__all__ = [
    "Admitted",
    "ask_to_stop",
    "cancel",
    "claim",
    "count_late_verdict",
    "enqueue",
    "finish",
    "held_by",
    "reassign",
    "release_unacknowledged",
    "rescue",
    "retry",
    "to_stop",
    "withdraw",
    "write_progress",
]
