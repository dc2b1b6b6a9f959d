"""System checks of the declared jobs: each mistake by its id."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

from queues import Event, JobDefinition, job
from queues.definitions import event, registry


@pytest.fixture
def declare() -> Iterator[Callable[..., JobDefinition]]:
    """Declare jobs and events that are forgotten after the test."""
    names: list[str] = []
    events = list(event._events)

    def declare(function: Callable[..., None], **options: Any) -> JobDefinition:
        names.append(f"checked.{function.__name__}")
        return job(name=names[-1], **{"queue": "order", **options})(function)

    yield declare
    for name in names:
        registry.forget(name)
    event._events[:] = events


def found() -> list[tuple[str | None, str, str | None]]:
    return [(message.id, message.msg, message.hint) for message in _found()]


def _found() -> list[CheckMessage]:
    return run_checks(tags=["queues"])


def remind(label: str, times: int = 1) -> None: ...


def explain(label: str, reason: str) -> None: ...


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001


def test_project_has_no_mistakes():
    assert found() == []


def test_job_of_an_undeclared_queue(declare):
    declare(remind, queue="ordre")

    assert found() == [("queues.E010", "job checked.remind: no queue 'ordre'.", "Did you mean 'order'?")]


def test_unknown_option_is_reported_with_the_one_that_was_meant(declare):
    declare(remind, prority=5)

    assert found() == [("queues.E021", "job checked.remind: unknown option 'prority'.", "Did you mean 'priority'?")]


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("on", "order_paid", "an Event or a tuple of them"),
        ("withdraw_on", ("order_paid",), "an Event or a tuple of them"),
        ("run_after", "1h", "a timedelta, seconds or an aware datetime"),
        ("run_after", NAIVE, "a timedelta, seconds or an aware datetime"),
        ("run_after", True, "a timedelta, seconds or an aware datetime"),
        ("key", 5, "text"),
        ("on_failed", remind, "a job or None"),
        ("cpu", "yes", "True or False"),
        ("priority", "high", "a whole number from -32768 to 32767"),
        ("priority", 40_000, "a whole number from -32768 to 32767"),
        ("every", 0, "seconds, at least 1"),
        ("cron", 9, "text"),
    ],
)
def test_wrong_value_is_reported_with_what_was_expected_and_got(declare, option: str, value: object, expected: str):
    declare(remind, **{option: value})

    assert (
        "queues.E022",
        f"job checked.remind: {option}: expected {expected}, got {value!r}.",
        "See docs/queues.md.",
    ) in found()


def test_event_that_lacks_an_argument(declare):
    declare(remind, on=Event("half_known", "times"))

    assert found() == [
        ("queues.E011", "job checked.remind: event half_known has no label.", "half_known has the arguments times.")
    ]


@pytest.mark.parametrize("option", ["key", "subject"])
@pytest.mark.parametrize("template", ["x-{order_id}", "x-{0}", "x-{"])
def test_template_that_names_no_argument(declare, option: str, template: str):
    declare(remind, **{option: template})

    ((check_id, text, hint),) = found()
    assert (check_id, hint) == ("queues.E012", "Arguments: label, times.")
    assert text.startswith(f"job checked.remind: {option} names ")


def test_withdrawal_without_a_key(declare):
    declare(remind, withdraw_on=Event("undone", "label"))

    assert [check_id for check_id, _, _ in found()] == ["queues.E013"]


def test_event_name_that_is_taken(declare):
    Event("order_placed_twice")
    Event("order_placed_twice")

    assert found() == [
        ("queues.E014", "event order_placed_twice is declared twice.", "Names of events are unique over all apps.")
    ]


def test_withdrawing_event_that_cannot_make_the_key(declare):
    declare(remind, key="remind-{label}", withdraw_on=Event("undone", "number"))

    assert found() == [
        (
            "queues.E015",
            "job checked.remind: event undone cannot make its key 'remind-{label}'.",
            "undone has the arguments number.",
        )
    ]


def test_last_resort_that_wants_what_the_job_does_not_have(declare):
    last_resort = declare(explain)
    declare(remind, on_failed=last_resort)

    assert found() == [
        (
            "queues.E016",
            "job checked.remind: its on_failed job checked.explain wants reason.",
            "It gets those of label, times that it names.",
        )
    ]


def test_in_process_mode_is_a_warning_at_deployment():
    with override_settings(WORKER_MODE="in-process"):
        ids = [message.id for message in run_checks(tags=["queues"], include_deployment_checks=True)]

    assert ids == ["queues.W001"]
