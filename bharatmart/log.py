"""Logging: every line, ours and the libraries', goes through structlog, as JSON or for the console.

Context bound with `structlog.contextvars` (request id, job id) is on every line. Values under names that
sound secret are masked, and tracebacks never show the values of variables.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import structlog
from structlog.contextvars import get_contextvars
from structlog.types import EventDict, Processor, WrappedLogger

_SECRET = re.compile(r"passw|secret|token|authori[sz]ation|cookie|api[-_]?key|signature|credential|session", re.I)
MASK = "***"
_JSON = json.JSONEncoder(ensure_ascii=False, default=str)


def mask_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replace what stands under a secret-sounding name, at any depth."""
    return {name: MASK if _sounds_secret(name) else _masked(value) for name, value in event.items()}


@lru_cache(maxsize=1000)
def _sounds_secret(name: str) -> bool:
    return _SECRET.search(name) is not None


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: MASK if isinstance(k, str) and _sounds_secret(k) else _masked(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item) for item in value]
    return value


def _common() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        mask_secrets,
    ]


def _rendering(form: str) -> list[Processor]:
    if form == "json":
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=30)
        return [
            structlog.processors.ExceptionRenderer(tracebacks),
            structlog.processors.JSONRenderer(serializer=lambda event, **_: _JSON.encode(event)),
        ]
    return [
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    ]


_NOT_IN_WORDS = {"event", "level", "logger", "timestamp", "exc_info", "exception", "stack", "stack_info"}


def _in_words(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """The message and its values, without a traceback: a line of the log that is kept with a job's attempt."""
    values = [f"{name}={value}" for name, value in event.items() if name not in _NOT_IN_WORDS]
    return " ".join([str(event.get("event", "")), *values])


class JsonFormatter(structlog.stdlib.ProcessorFormatter):
    """structlog's formatter; a message alone, as each job logs one, takes a tenth of its time and looks the same."""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info or record.stack_info or not isinstance(record.msg, str) or get_contextvars():
            return super().format(record)
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        event, logger, level = map(_JSON.encode, (record.getMessage(), record.name, record.levelname.lower()))
        return f'{{"event": {event}, "logger": {logger}, "level": {level}, "timestamp": "{at}"}}'


def _formatter(*rendering: Processor, form: str = "") -> dict[str, Any]:
    return {
        "()": JsonFormatter if form == "json" else structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _common(),
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
    }


def logging_settings(level: str, form: str) -> dict[str, Any]:
    """Configure structlog and return Django's LOGGING; `form` is "json" or "console"."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_common(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structlog": _formatter(*_rendering(form), form=form), "in words": _formatter(_in_words)},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "structlog"},
            "kept log": {"class": "queues.execution.log_handler.JobLogHandler", "formatter": "in words"},
        },
        "root": {"level": level, "handlers": ["console", "kept log"]},
        "loggers": _loggers(),
    }


def _loggers() -> dict[str, Any]:
    """Libraries that bring handlers of their own lose them; what the access line says is not said twice."""
    through_root: dict[str, Any] = {"handlers": [], "propagate": True}
    return {
        "django": through_root,
        "django.server": {**through_root, "level": "WARNING"},
        "django.request": {**through_root, "level": "ERROR"},
        "django.db.backends": {**through_root, "level": "INFO"},
        "rq": through_root,
        "rq.worker": through_root,
        "rq.scheduler": through_root,
        "rq_scheduler": through_root,
        "py.warnings": through_root,
        "fontTools": {**through_root, "level": "WARNING"},
    }
