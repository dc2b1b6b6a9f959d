"""Events: how a lower app announces that something happened, without knowing who subscribes.

An event is declared in the lowest app that emits or handles it. Jobs subscribe with `@job(on=event)`.
"""

from typing import Any, Protocol

from django.db import transaction

from ..errors import JobArgumentError
from ..lifecycle.request import JobRequest

_events: list["Event"] = []


class Subscriber(Protocol):
    """A job definition, as far as an event knows it."""

    @property
    def name(self) -> str: ...

    def reaction_to(self, event: "Event", values: dict[str, Any]) -> JobRequest: ...

    def key_for(self, args: dict[str, Any]) -> str | None: ...


class Event:
    """Something that happened, with the names of its arguments: `Event("order_placed", "order_id")`.

    `subject` is a template for what the reactions are about, such as "order-{order_id}".
    """

    def __init__(self, name: str, *arguments: str, subject: str = "") -> None:
        self.name = name
        self.arguments = arguments
        self.subject = subject
        self.reactions: list[Subscriber] = []
        self.withdrawals: list[Subscriber] = []
        _events.append(self)

    def emit(self, **values: Any) -> None:
        """Enqueue every reaction and cancel every job to be withdrawn, in the caller's transaction.

        Raises RuntimeError outside a transaction and JobArgumentError for missing or unknown arguments.
        """
        from .. import ledger  # models exist only once the apps are loaded

        if not transaction.get_connection().in_atomic_block:
            raise RuntimeError(f"{self.name}.emit() needs a transaction: wrap it in transaction.atomic()")
        if set(values) != set(self.arguments):
            raise JobArgumentError(f"{self.name} takes {', '.join(self.arguments)}; got {', '.join(values) or 'none'}")
        ledger.enqueue([reaction.reaction_to(self, values) for reaction in self.reactions])
        keys = [definition.key_for(values) for definition in self.withdrawals]
        ledger.withdraw([key for key in keys if key], reason=f"withdrawn by {self.name}")

    def __repr__(self) -> str:
        return f"<Event {self.name}({', '.join(self.arguments)})>"


def all_events() -> list[Event]:
    """Every declared event, in order of name."""
    return sorted(_events, key=lambda event: event.name)
