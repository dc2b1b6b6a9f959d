"""Time-outs of PostgreSQL, so that no statement, lock or forgotten transaction of ours holds others up for long.

They are asked for when a connection is opened. What DATABASE_URL itself says in `options` comes after them and wins.
"""

from typing import Any

from django.db import connections

CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""libpq's: who waits for an answer learns within a minute that the server has vanished without a word.

The kernel probes a connection that is idle; where a question is on its way unacknowledged, the last one counts (ms).
"""


def with_timeouts(database: dict[str, Any], *, statement: float, lock: float, idle_in_transaction: float) -> None:
    """Add the time-outs (s; 0: none) to an entry of DATABASES."""
    options = database.setdefault("OPTIONS", {})
    for name, value in CONNECTION.items():
        options.setdefault(name, value)
    ours = {
        "statement_timeout": statement,
        "lock_timeout": lock,
        "idle_in_transaction_session_timeout": idle_in_transaction,
    }
    words = [f"-c {name}={round(seconds * 1000)}" for name, seconds in ours.items()]
    options["options"] = " ".join([*words, options.get("options", "")]).rstrip()


def lift_statement_timeout(using: str, **_: Any) -> None:
    """A migration may take as long as it takes; it still does not wait for locks for ever. Receives `pre_migrate`."""
    with connections[using].cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
