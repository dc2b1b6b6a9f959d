"""A declared job: what `@job` makes of a function.

The names follow Django's `django.tasks` where it has them (`enqueue`, `using`, `run_after`, `priority`).
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Unpack

from ..context import current_subject
from ..errors import JobArgumentError
from ..lifecycle.request import JobRequest, RunAfter
from ..postgres.storable import is_json
from .event import Event
from .options import Usage, wrong_values
from .result import JobResult

LONGEST_TEXT = 200


@dataclass(frozen=True)
class JobDefinition:
    """A declared job. `enqueue(**args)` writes it; calling it runs the function at once, in place."""

    function: Callable[..., Any]
    name: str
    queue: str
    on: tuple[Event, ...] = ()
    run_after: RunAfter = None
    key: str = ""
    subject: str = ""
    withdraw_on: tuple[Event, ...] = ()
    on_failed: "JobDefinition | None" = None
    cpu: bool | None = None
    """Whether it runs in a child process; None: as its queue says."""
    priority: int = 0
    cron: str = ""
    every: float | None = None
    declared: tuple[tuple[str, Any], ...] = ()
    """The options as they were written, for the checks."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def using(self, **usage: Unpack[Usage]) -> "JobDefinition":
        """The same job with another run_after (timedelta, seconds or aware datetime), key, priority or queue."""
        unknown = set(usage) - set(Usage.__annotations__)
        if unknown:
            raise JobArgumentError(f"{self.name}.using() does not take {', '.join(sorted(unknown))}")
        for option, mistake in wrong_values(usage).items():
            raise JobArgumentError(f"{self.name}.using(): {option}: {mistake}")
        changes: dict[str, Any] = dict(usage)
        if "queue_name" in changes:
            changes["queue"] = changes.pop("queue_name")
        return replace(self, **changes)

    def enqueue(self, **args: Any) -> JobResult:
        """Write the job into the ledger, in the caller's transaction if there is one.

        Under a live key the existing job is returned. Raises JobArgumentError for arguments that do not fit.
        """
        from .. import ledger  # models exist only once the apps are loaded

        return JobResult(ledger.enqueue([self.request(args)])[0])

    def cancel(self, *, key: str) -> bool:
        """Withdraw the waiting job that lives under `key`; False if there is none."""
        from .. import ledger

        return bool(ledger.withdraw([key], reason="cancelled by its key"))

    def request(self, args: dict[str, Any], subject: str = "") -> JobRequest:
        """Check the arguments and say what to write.

        Without a subject of its own the job is about `subject`, or about what the running job is about.
        """
        self.check_arguments(args)
        subject = self.subject.format(**self._with_defaults(args)) or subject or current_subject()
        key = self.key_for(args)
        self._check_texts(key=key or "", subject=subject)
        return JobRequest(
            name=self.name,
            queue=self.queue,
            args=args,
            subject=subject,
            key=key,
            priority=self.priority,
            run_after=self.run_after,
        )

    def reaction_to(self, event: Event, values: dict[str, Any]) -> JobRequest:
        """The request this job makes of an event: of its values those that the signature names."""
        args = {name: values[name] for name in self.parameters if name in values}
        return self.request(args, subject=event.subject.format(**values))

    def key_for(self, args: dict[str, Any]) -> str | None:
        return self.key.format(**self._with_defaults(args)) or None

    def _with_defaults(self, args: dict[str, Any]) -> dict[str, Any]:
        return {n: p.default for n, p in self.parameters.items() if p.default is not p.empty} | args

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        return _parameters(self.function)

    def check_arguments(self, args: dict[str, Any]) -> None:
        """Refuse what does not fit the signature or is not JSON, naming the argument."""
        parameters = self.parameters
        missing = [n for n, p in parameters.items() if p.default is p.empty and n not in args]
        unknown = [n for n in args if n not in parameters]
        if missing or unknown:
            wrong = {"missing": missing, "unknown": unknown}
            text = "; ".join(f"{what} {', '.join(names)}" for what, names in wrong.items() if names)
            raise JobArgumentError(f"{self.name}({', '.join(parameters)}): {text}")
        for name, value in args.items():
            if not is_json(value):
                raise JobArgumentError(
                    f"{self.name}: argument {name!r} must be JSON (text without NUL, number, bool, list, dict "
                    f"or null), got {type(value).__name__}"
                )

    def _check_texts(self, **texts: str) -> None:
        for option, text in texts.items():
            if not is_json(text) or len(text) > LONGEST_TEXT:
                raise JobArgumentError(
                    f"{self.name}: {option} must be text of at most {LONGEST_TEXT} characters without NUL, got {text!r}"
                )


@cache
def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Looked up once for all variants of a job that `.using()` makes."""
    return dict(inspect.signature(function).parameters)
