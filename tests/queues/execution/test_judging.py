"""Whatever a job raises, its verdict can be written and shows no secrets."""

from datetime import timedelta
from typing import Any

import pytest

from queues import JobDefinition, Retry, Snooze, job
from queues.definitions import registry
from queues.models import Attempt
from tests.queues.raising import raised, run, seconds_until

pytestmark = pytest.mark.usefixtures("ledger_db")


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "written"),
    [
        (ValueError("a\x00b"), "ValueError: a\\x00b"),
        (ValueError("half a pair \ud800"), "ValueError: half a pair \\ud800"),
        (ValueError("x" * 50_000), "ValueError: " + "x" * 9_988),
        (Unspeakable(), "Unspeakable"),
    ],
    ids=["nul", "surrogate", "long", "unspeakable"],
)
def test_any_text_of_an_error_can_be_written(raising: JobDefinition, error: BaseException, written: str):
    raised.append(error)

    assert run(raising).error == written


@pytest.mark.parametrize(
    ("error", "low", "high"),
    [
        (Snooze(timedelta(minutes=1)), 60, 70),
        (Retry("later", after=timedelta(minutes=1)), 60, 70),
        (Retry("later", after=1e300), 365 * 24 * 3600, 366 * 24 * 3600),
        (Snooze(-5), -5, 0),
    ],
    ids=["snooze", "retry", "huge", "negative"],
)
def test_any_wait_can_be_written(raising: JobDefinition, error: BaseException, low: float, high: float):
    raised.append(error)

    job = run(raising)

    assert job.state == "waiting"
    assert low <= seconds_until(job) <= high


@pytest.mark.parametrize("wait", ["soon", float("nan"), float("inf")], ids=repr)
def test_wait_that_is_none_is_refused(wait: Any):
    with pytest.raises(ValueError, match=r"expected seconds or a timedelta|could not convert"):
        Snooze(wait)
    with pytest.raises(ValueError, match=r"expected seconds or a timedelta|could not convert"):
        Retry(after=wait)


def test_traceback_shows_no_values():
    secret = "4111-1111"

    def pay(card: str) -> None:
        number = card  # noqa: F841
        raise ValueError("declined")

    definition = job(queue="order", name="jobapp.pay")(pay)
    try:
        run(definition, card=secret)
    finally:
        registry.forget("jobapp.pay")

    assert "declined" in Attempt.objects.get().traceback
    assert secret not in Attempt.objects.get().traceback
