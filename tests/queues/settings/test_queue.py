"""QUEUES: each mistake is reported with what was expected, what was given, and what was probably meant."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from queues.errors import UnknownQueue
from queues.settings import WORKER_TYPES, declared, mistakes_in, queues_of, tuned_by_environment, worker_mode
from queues.settings.backoff import exponential, fixed
from queues.settings.queue import EXPECTED


def reported(queues: object) -> list[tuple[str, str, str]]:
    return [(mistake.id, mistake.text, mistake.hint) for mistake in mistakes_in(queues)]


def test_right_declaration_has_no_mistakes():
    complete = {
        "concurrency": 2,
        "attempts": 1,
        "backoff": fixed(3),
        "timeout": 0.5,
        "cpu": True,
        "scope": "global",
        "rate": "30/m",
        "keep_completed": timedelta(days=1),
        "keep_failed": timedelta(days=2),
    }

    minutes = {"backoff": lambda attempt: 60 * attempt, "rate": None, "scope": "process"}

    assert mistakes_in({"email": complete, "payment": minutes, "payment-webhook": {}}) == []


@pytest.mark.parametrize("queues", [None, [], {}, "email", 3], ids=repr)
def test_queues_must_be_a_dict(queues: object):
    assert reported(queues) == [
        ("queues.E001", f"QUEUES must be a dict of queues, got {queues!r}.", "See docs/queues.md.")
    ]


@pytest.mark.parametrize("name", ["", "e mail", "e:mail", "../../etc", "mail\n", 7, None, "default", "-"], ids=repr)
def test_name_that_cannot_be_a_queue_is_refused(name: object):
    hint = "Use letters, digits and '-'; 'default' is taken."

    assert reported({name: {}}) == [("queues.E002", f"QUEUES: {name!r} cannot name a queue.", hint)]


def test_options_must_be_a_dict():
    assert reported({"email": 5}) == [
        ("queues.E003", "QUEUES['email'] must be a dict, got 5.", "{} takes all defaults.")
    ]


def test_unknown_option_is_reported_with_the_one_that_was_meant():
    assert reported({"email": {"concurency": 5}}) == [
        ("queues.E004", "QUEUES['email'] has an unknown option 'concurency'.", "Did you mean 'concurrency'?")
    ]


def test_unknown_option_that_resembles_none_is_reported_with_all_known_ones():
    ((_, _, hint),) = reported({"email": {"colour": "red"}})

    assert hint == f"Known: {', '.join(EXPECTED)}."
    assert set(EXPECTED) >= {"concurrency", "attempts", "backoff", "timeout", "cpu", "keep_completed", "keep_failed"}


WRONG: dict[str, tuple[str, list[object]]] = {
    "concurrency": ("a whole number of at least 1", [0, True, "5", 2.0]),
    "attempts": ("a whole number of at least 1", [-1, None]),
    "backoff": (
        "exponential(seconds), fixed(seconds) or a function of the attempt's number",
        [5, lambda: 5, lambda attempt: "soon", lambda attempt: -1],
    ),
    "timeout": ("seconds, more than 0", [0, True, float("nan"), float("inf"), timedelta(seconds=1)]),
    "cpu": ("True or False", ["yes"]),
    "scope": ("'process' or 'global'", ["gobal", None]),
    "rate": ("a rate such as '100/s', '30/m' or '5/h', or None", [100, "100 per second", "0/s"]),
    "keep_completed": ("a timedelta", [7]),
    "keep_failed": ("a timedelta", ["30 days"]),
}


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [(option, value, expected) for option, (expected, values) in WRONG.items() for value in values],
)
def test_wrong_value_is_reported_with_what_was_expected_and_given(option: str, value: object, expected: str):
    assert reported({"email": {option: value}}) == [
        ("queues.E005", f"QUEUES['email'][{option!r}]: expected {expected}, got {value!r}.", "See docs/queues.md.")
    ]


def test_all_mistakes_are_reported_at_once():
    wrong = {"email": {"attempts": 0, "speed": 1}, "or der": {}, "payment": None}

    found = [mistake.id for mistake in mistakes_in(wrong)]

    assert found == ["queues.E005", "queues.E004", "queues.E002", "queues.E003"]


def test_mistakes_are_system_checks():
    with override_settings(QUEUES={"email": {"atempts": 3}}):
        found = run_checks(tags=["queues"])

    assert [(message.id, message.msg, message.hint) for message in found] == [
        ("queues.E004", "QUEUES['email'] has an unknown option 'atempts'.", "Did you mean 'attempts'?")
    ]


def test_declared_queues_are_those_of_the_plan():
    numbers = {name: (queue.concurrency, queue.attempts, queue.cpu) for name, queue in declared().items()}

    assert numbers == {
        "email": (5, 5, False),
        "order": (10, 3, False),
        "payment": (5, 3, False),
        "payment-webhook": (20, 5, False),
        "payment-retry": (3, 3, False),
        "inventory-release": (8, 3, False),
        "manual-review": (1, 3, False),
        "webhook-out": (10, 8, False),
        "reports": (2, 2, True),
    }


def test_every_declared_queue_has_a_worker_type():
    assert sorted(name for names in WORKER_TYPES.values() for name in names) == sorted(declared())
    assert queues_of("all") == list(declared())
    assert queues_of("payment") == ["payment", "payment-webhook", "payment-retry"]


def test_unknown_worker_type_is_refused_with_a_suggestion():
    with pytest.raises(UnknownQueue, match=r"no worker type 'emails'\. Did you mean 'email'\?"):
        queues_of("emails")


def tuned(environ: dict[str, str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    return tuned_by_environment({name: {"attempts": 9} for name in ("email", "order", "payment-retry")}, environ)


def test_worker_variables_tune_email_order_and_payment_alone():
    queues, mistakes = tuned({"WORKER_CONCURRENCY": "7", "WORKER_MAX_ATTEMPTS": "2"})

    assert queues == {
        "email": {"attempts": 2, "concurrency": 7},
        "order": {"attempts": 2, "concurrency": 7},
        "payment-retry": {"attempts": 9},
    }
    assert mistakes == []


def test_variable_of_one_queue_wins():
    queues, _ = tuned(
        {"WORKER_CONCURRENCY": "7", "QUEUE_EMAIL_CONCURRENCY": "3", "QUEUE_PAYMENT_RETRY_CONCURRENCY": "4"}
    )

    assert [queues[name].get("concurrency") for name in ("email", "order", "payment-retry")] == [3, 7, 4]


def test_backoff_variables_are_milliseconds():
    queues, _ = tuned({"WORKER_BACKOFF_TYPE": "fixed", "WORKER_BACKOFF_DELAY": "1500"})

    assert [queues["email"]["backoff"](attempt) for attempt in (1, 2, 9)] == [1.5, 1.5, 1.5]


def test_backoff_delay_alone_is_exponential():
    queues, _ = tuned({"QUEUE_EMAIL_BACKOFF_DELAY": "1000"})

    assert 3.2 <= queues["email"]["backoff"](3) <= 4.8
    assert "backoff" not in queues["order"]


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("WORKER_CONCURRENCY", "many", "a whole number of at least 1"),
        ("WORKER_CONCURRENCY", "0", "a whole number of at least 1"),
        ("WORKER_CONCURRENCY", "²", "a whole number of at least 1"),
        ("WORKER_MAX_ATTEMPTS", "-1", "a whole number of at least 1"),
        ("QUEUE_PAYMENT_RETRY_MAX_ATTEMPTS", "2.5", "a whole number of at least 1"),
        ("WORKER_BACKOFF_TYPE", "linear", "exponential or fixed"),
        ("QUEUE_EMAIL_BACKOFF_DELAY", "1s", "whole milliseconds"),
        ("QUEUE_EMAIL_BACKOFF_DELAY", "²", "whole milliseconds"),
    ],
)
def test_wrong_variable_is_named_once(variable: str, value: str, expected: str):
    queues, mistakes = tuned({variable: value})

    assert mistakes == [f"{variable}: expected {expected}, got {value!r}."]
    assert queues == tuned({})[0]


def test_variables_of_the_engine_itself_are_not_mistaken_for_queues():
    engine = {
        "QUEUE_REDIS_URL": "redis://x",
        "QUEUE_WINDOW": "5",
        "WORKER_MODE": "rq",
        "WORKER_TYPE": "all",
        "HOME": "/",
    }

    assert tuned(engine)[1] == []


@pytest.mark.parametrize(
    ("asked", "redis_url", "mode"),
    [
        ("", "", "in-process"),
        ("", "redis://x", "rq"),
        ("rq", "", "rq"),
        ("bull-queue", "redis://x", "rq"),
        ("in-process", "redis://x", "in-process"),
        ("none", "redis://x", "none"),
    ],
)
def test_worker_mode(asked: str, redis_url: str, mode: str):
    assert worker_mode(asked, redis_url) == mode


@pytest.mark.parametrize("mode", ["sqs", "oci-queue"])
def test_brokers_that_do_not_exist_yet_are_refused(mode: str):
    with pytest.raises(ValueError, match=f"^{mode} is not built yet; expected one of rq, in-process, none.$"):
        worker_mode(mode, "")


def test_unknown_mode_is_refused_with_a_suggestion():
    with pytest.raises(ValueError, match=r"^'in-proces' is unknown; .* Did you mean 'in-process'\?"):
        worker_mode("in-proces", "")


def test_exponential_backoff_doubles_within_its_jitter_and_stops_at_its_cap():
    wait = exponential(2, cap=60)

    for attempt, middle in [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (10_000, 60)]:
        assert all(middle * 0.8 <= wait(attempt) <= middle * 1.2 for _ in range(50))


def test_full_jitter_waits_anything_up_to_the_back_off():
    waits = [exponential(8, jitter=1)(1) for _ in range(300)]

    assert 0 <= min(waits) < 2
    assert 6 < max(waits) <= 8


def test_fixed_backoff_has_no_jitter():
    assert {fixed(5)(attempt) for attempt in range(1, 50)} == {5}
