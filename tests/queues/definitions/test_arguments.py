"""Arguments that do not fit are refused by name, and nothing is written."""

import datetime
import decimal
from typing import Any

import pytest
from django.db import transaction

from queues.definitions.job import Usage
from queues.errors import JobArgumentError
from queues.models import Job
from tests.jobapp.jobs import record, something_happened

pytestmark = pytest.mark.usefixtures("ledger_db")


def test_missing_argument_is_named():
    with pytest.raises(JobArgumentError, match=r"^jobapp\.record\(label\): missing label$"):
        record.enqueue()

    assert not Job.objects.exists()


def test_unknown_argument_is_named():
    with pytest.raises(JobArgumentError, match=r"^jobapp\.record\(label\): missing label; unknown lable$"):
        record.enqueue(lable="a")

    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "value",
    [
        datetime.date(2026, 11, 21),
        decimal.Decimal("1.5"),
        b"bytes",
        {1, 2},
        (1, 2),
        {1: "number as key"},
        float("nan"),
        float("inf"),
        ["deep", {"inside": ()}],
        "nul \x00",
        {"nul \x00": 1},
        "half a pair \ud800",
    ],
    ids=repr,
)
def test_what_is_not_json_is_refused_by_the_arguments_name(value: object):
    with pytest.raises(JobArgumentError, match=r"^jobapp\.record: argument 'label' must be JSON"):
        record.enqueue(label=value)

    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "value", ["text", 7, 2**70, 1.5, True, None, ["a", 1], {"a": {"b": [None]}}, "नमस्ते ₹", r"\u0000"], ids=repr
)
def test_json_arrives_as_it_was_given(value: object):
    record.enqueue(label=value)

    assert Job.objects.get().args == {"label": value}


def usage(option: str, text: str) -> Usage:
    return {"key": text} if option == "key" else {"subject": text}


@pytest.mark.parametrize("option", ["key", "subject"])
def test_text_that_does_not_fit_the_column_is_refused(option: str):
    with pytest.raises(JobArgumentError, match=rf"^jobapp\.record: {option} must be text of at most 200 characters"):
        record.using(**usage(option, "x" * 201)).enqueue(label="a")
    with pytest.raises(JobArgumentError, match=rf"^jobapp\.record: {option} must be text"):
        record.using(**usage(option, "nul \x00")).enqueue(label="a")

    assert not Job.objects.exists()


def test_using_refuses_an_unknown_option():
    with pytest.raises(JobArgumentError, match=r"^jobapp\.record\.using\(\) does not take runafter$"):
        record.using(runafter=3)  # type: ignore[call-arg]


def test_refused_argument_leaves_the_callers_transaction_usable():
    with transaction.atomic():
        with pytest.raises(JobArgumentError):
            record.enqueue(label=object())
        record.enqueue(label="fits")

    assert Job.objects.get().args == {"label": "fits"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"label": "a"}, "got label"),
        ({"label": "a", "number": 1, "more": 2}, "got label, number, more"),
        ({}, "got none"),
    ],
)
def test_event_names_its_arguments(values: dict[str, object], message: str):
    with (
        pytest.raises(JobArgumentError, match=f"something_happened takes label, number; {message}$"),
        transaction.atomic(),
    ):
        something_happened.emit(**values)

    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("usage", "message"),
    [
        ({"priority": "high"}, r"record\.using\(\): priority: expected a whole number .*, got 'high'"),
        ({"run_after": "1h"}, r"record\.using\(\): run_after: expected a timedelta, seconds or an aware datetime"),
        ({"key": 7}, r"record\.using\(\): key: expected text, got 7"),
        ({"prority": 7}, r"record\.using\(\) does not take prority"),
    ],
)
def test_usage_that_does_not_fit_is_refused(usage: Any, message: str):
    with pytest.raises(JobArgumentError, match=message):
        record.using(**usage)
