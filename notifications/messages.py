"""From kind and context to a message: templates/notifications/<kind>/{subject.txt,body.txt,body.html}."""

from dataclasses import dataclass
from typing import Any

from django.template import Context, Engine

from .errors import UnknownKind

KINDS = (
    "welcome",
    "order_confirmation",
    "payment_receipt",
    "payment_failed",
    "order_cancelled",
    "shipping_notification",
    "refund_issued",
    "low_stock",
    "stock_shortfall",
    "daily_report",
    "password_reset",
    "webhook_switched_off",
)

Attachment = tuple[str, bytes, str]


@dataclass(frozen=True)
class Message:
    """A rendered message; attachments are (file name, content, MIME type)."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    attachments: tuple[Attachment, ...] = ()


def check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UnknownKind(f"no notification of kind {kind!r}; expected one of {', '.join(KINDS)}")


def render_part(kind: str, part: str, context: dict[str, Any]) -> str:
    """One of subject.txt, body.txt, body.html. Only HTML is escaped; plain text must stay as it is."""
    check_kind(kind)
    template = Engine.get_default().get_template(f"notifications/{kind}/{part}")
    return str(template.render(Context(context, autoescape=part.endswith(".html")))).strip()


def render_subject(kind: str, context: dict[str, Any]) -> str:
    """The subject in one line, so that nothing in the context can add a header."""
    return " ".join(render_part(kind, "subject.txt", context).split())[:250]
