"""Listeners of signals: one that fails hurts nothing, and where there is none nothing is spent."""

import logging
from typing import Any

import pytest
from django.db import connection, transaction

from queues import signals
from queues.ops import actions
from queues.testing import drain, run_next
from tests.jobapp.jobs import record
from tests.queues.test_signals import Sent, sent

__all__ = ["sent"]

pytestmark = pytest.mark.usefixtures("ledger_db")


def test_listener_to_one_job_gets_no_signal_of_another(define):
    """Names are compared as texts, though Django compares senders by identity."""
    sent: list[str] = []

    def receive(sender: str, **_: Any) -> None:
        sent.append(sender)

    signals.job_completed.connect(receive, sender="".join(["jobapp", ".record"]))
    record.enqueue(label="a")
    define(lambda: None).enqueue()
    drain()
    disconnected = signals.job_completed.disconnect(receive, sender="".join(["jobapp.", "record"]))

    assert (sent, disconnected) == (["jobapp.record"], True)


class Callable:
    """A listener without a name, at which Django's own report of its error fails."""

    def __call__(self, **_: Any) -> None:
        raise RuntimeError("listener without a name")


def test_listener_that_fails_is_logged_with_its_traceback_and_hurts_nothing(caplog):
    def fails(**_: Any) -> None:
        raise RuntimeError("listener with a name")

    nameless = Callable()
    for signal in (signals.job_enqueued, signals.job_started, signals.job_completed):
        signal.connect(fails)
        signal.connect(nameless)
    try:
        with caplog.at_level(logging.ERROR):
            handle = record.enqueue(label="a")
            drain()
    finally:
        for signal in (signals.job_enqueued, signals.job_started, signals.job_completed):
            signal.disconnect(fails)
            signal.disconnect(nameless)

    assert handle.status == "completed"
    assert caplog.text.count("RuntimeError: listener with a name") == 3
    assert caplog.text.count("RuntimeError: listener without a name") == 3


def statements_of_a_life() -> list[str]:
    statements: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql.split(maxsplit=1)[0])
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        record.enqueue(label="a")
        run_next()
        actions.cancel_jobs([record.enqueue(label="b").id], actor="asha")
    return statements


def test_signals_cost_no_statement(request: pytest.FixtureRequest):
    without_listeners = statements_of_a_life()

    sent: Sent = request.getfixturevalue("sent")
    with_listeners = statements_of_a_life()

    assert with_listeners == without_listeners
    assert len(sent) == 5


def test_nobody_listens_and_nothing_is_left_to_do_at_the_commit():
    with transaction.atomic():
        before = len(connection.run_on_commit)
        record.enqueue(label="a")
        hooks = connection.run_on_commit[before:]

    assert len(hooks) == 1  # the NOTIFY for the dispatchers
