"""The engine's own statements, prepared: each connection that executes one parses it once.

To plan one of them takes PostgreSQL as long as to execute it for fifty jobs. A thread that serves the engine alone has
them planned once too, and by index, whatever the tables hold at the time: a plan that fits an empty outbox would read
the whole of a full one for each batch. By index scans alone: those by bitmap do not mark the entries of dead rows, and
read them again each time until autovacuum has come.

That a batch reads its own rows alone must not depend on statistics: an idle shop's outbox is empty, and PostgreSQL
believes so for the first minute of a rush. It would then go through all that waits once for each job of a batch. So
batches are joined by `id = ANY(ARRAY[other.id])`, which leaves PostgreSQL but one way, to look each id up; and states
stand in `(...) IS TRUE`, which hides them from the partial indexes.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from psycopg import Connection, Cursor

BY_INDEX = """
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off
"""

Values = Sequence[Any] | Mapping[str, Any]
Rows = list[tuple[Any, ...]]


class _Thread(threading.local):
    by_index = False
    planned: Connection[Any] | None = None


_thread = _Thread()


def use_generic_index_plans() -> None:
    """This thread executes the engine's statements and no job: plan them once, for tables of any size."""
    _thread.by_index = True


def execute(statement: str, values: Values) -> Rows:
    """The rows of a statement on Django's connection of this thread, in its transaction if there is one."""
    with _cursor(_connection()) as cursor:
        cursor.execute(statement, values)
        rows: Rows = cursor.fetchall()
    return rows


def _connection() -> Connection[Any]:
    connection.ensure_connection()
    raw: Connection[Any] = connection.connection
    raw.prepare_threshold = 0
    if _thread.by_index and _thread.planned is not raw:
        with connection.wrap_database_errors:
            raw.execute(BY_INDEX.encode())
        _thread.planned = raw
    return raw


def _cursor(raw: Connection[Any]) -> CursorWrapper:
    """psycopg's own cursor, which prepares; Django's binds in the client. Its log and wrappers see the statements."""
    own: Any = Cursor(raw)
    return _Logged(own, connection) if connection.queries_logged else connection.make_cursor(own)


class _Logged(CursorDebugWrapper):
    """Django's log gets the statement as it was prepared: psycopg's own cursor knows no other text."""

    def execute(self, sql: Any, params: Any = None) -> Any:
        with self.debug_sql(sql, params, use_last_executed_query=False):
            return CursorWrapper.execute(self, sql, params)
