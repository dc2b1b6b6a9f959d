"""Looking into the run's own database, through restarts of it."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]
Ask = Callable[..., list[Row]]
PATIENCE = 20.0


class Eye:
    """One connection, opened anew when it breaks. `rows` raises psycopg.Error after twenty seconds in vain."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection: psycopg.Connection[Row] | None = None

    def rows(self, query: str, *values: object) -> list[Row]:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self._rows(query, values)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                self.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def glance(self, query: str, *values: object) -> list[Row] | None:
        """The same, tried once; None if the database does not answer."""
        try:
            return self._rows(query, values)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self.close()
            return None

    def close(self) -> None:
        if self.connection is not None:
            with contextlib.suppress(psycopg.Error):
                self.connection.close()
            self.connection = None

    def _rows(self, query: str, values: tuple[object, ...]) -> list[Row]:
        if self.connection is None:
            self.connection = psycopg.connect(self.url, autocommit=True, connect_timeout=3, row_factory=dict_row)
        cursor = self.connection.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description else []
