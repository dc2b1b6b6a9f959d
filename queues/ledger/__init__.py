"""The ledger: every job is a row here, and nothing else writes a job's state.

Each verb is one conditional statement: the old state (and the token or the offer) stands in its WHERE.
A job waits if and only if it has a row in the outbox that is not withdrawn; whoever touches both locks the
outbox row first.
"""

from .claims import Claim, claim
from .enqueue import enqueue
from .progress import to_stop, write_progress
from .rescues import adopt, free_unheard_of, held_by, rescue, runs_in_child
from .retries import retry
from .verdicts import COMPLETED, Ending, Verdict, finish, finish_all
from .withdrawals import ask_to_stop, cancel, withdraw

__all__ = [
    "COMPLETED",
    "Claim",
    "Ending",
    "Verdict",
    "adopt",
    "ask_to_stop",
    "cancel",
    "claim",
    "enqueue",
    "finish",
    "finish_all",
    "free_unheard_of",
    "held_by",
    "rescue",
    "retry",
    "runs_in_child",
    "to_stop",
    "withdraw",
    "write_progress",
]
