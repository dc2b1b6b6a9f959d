"""The values that `manage.py queues` takes: each parser refuses nonsense with a sentence."""

import getpass
import keyword
import os
import re
from argparse import ArgumentTypeError
from datetime import timedelta

from django.apps import AppConfig

from queues.definitions import registry
from queues.errors import UnknownQueue, UnknownSchedule
from queues.ops import schedules
from queues.settings import queue_named, suggest

from . import new_job

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=36_500)


def queue(text: str) -> str:
    try:
        return queue_named(text).name
    except UnknownQueue as error:
        raise ArgumentTypeError(str(error)) from None


def job_name(text: str) -> str:
    if text not in registry.names():
        raise ArgumentTypeError(f"no job named {text!r}. {suggest(text, registry.names())}")
    return text


def schedule(text: str) -> str:
    try:
        return schedules.recurring_job(text).name
    except UnknownSchedule as error:
        raise ArgumentTypeError(str(error)) from None


def own_app(text: str) -> AppConfig:
    apps = new_job.own_apps()
    if text not in apps:
        raise ArgumentTypeError(f"no app {text!r}. {suggest(text, apps)}")
    return apps[text]


def event_name(text: str) -> str:
    events = new_job.known_events()
    if text not in events:
        raise ArgumentTypeError(f"no event {text!r}. {suggest(text, events)}")
    return text


def new_name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{,49}", text) or keyword.iskeyword(text):
        expected = "expected a name for a Python function, in small letters and at most 50, such as remind_customer"
        raise ArgumentTypeError(f"{expected}; got {text!r}")
    return text


def job_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**63):
        raise ArgumentTypeError(f"expected the number of a job, got {text!r}")
    return int(text)


def duration(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,9})([smhdw])", text)
    length = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else LONGEST
    if length >= LONGEST:
        raise ArgumentTypeError(f"expected a time such as 7d, 12h or 30m (below 100 years), got {text!r}")
    return length


def words(text: str) -> str:
    if not text.strip():
        raise ArgumentTypeError("expected some text, got none")
    return text


def actor() -> str:
    """Who runs this command, for the audit."""
    try:
        return f"command:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user without a name
        return f"command:{os.getuid()}"
