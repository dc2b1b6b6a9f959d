"""Send messages: each row once, also when its job runs twice or in two threads at once.

A sender claims the row (old state in the WHERE), talks to the mail server with no transaction open and
writes the outcome. Between the server's 250 and that write lies the one gap: a sender that dies there
is taken over after settings.NOTIFICATION_LEASE, and the mail goes out again with the same Message-ID.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from queues import Permanent, Snooze
from queues.postgres.outages import wait_out

from .. import events, messages
from ..channels import email
from ..errors import Refused
from ..models import Notification
from ..states import CLAIMABLE, NotificationState

Attachments = Callable[[], list[messages.Attachment]]
Secrets = Callable[[], dict[str, str]]


def send(*, kind: str, to: str, context: dict[str, Any], key: str, attachments: Attachments | None = None) -> None:
    """Record and deliver a message, inside a job of queue "email". The same key again sends nothing.

    `attachments` is called only when the mail is really made. Raises UnknownKind, queues.Permanent when
    the mail server refuses for good, queues.Snooze while another sender has it, else what the server raised.
    """
    notification, _ = record(kind=kind, to=to, context=context, key=key)
    deliver(notification.pk, attachments)


def notify(*, kind: str, to: str, context: dict[str, Any], key: str) -> Notification:
    """Record a message and have a job deliver it; for requests, which touch PostgreSQL alone."""
    with transaction.atomic():
        notification, is_new = record(kind=kind, to=to, context=context, key=key)
        if is_new:
            events.notification_requested.emit(notification_id=notification.pk)
    return notification


def record(*, kind: str, to: str, context: dict[str, Any], key: str) -> tuple[Notification, bool]:
    """The row under `key` and whether it is new; the first caller's words stand."""
    messages.check_kind(kind)
    fields = {"kind": kind, "to": to, "context": context, "message_id": email.message_id_for(key)}
    fields["subject"] = messages.render_subject(kind, context)
    return Notification.objects.get_or_create(key=key, defaults=fields)


def is_addressed_to(notification_id: int, to: str) -> bool:
    """Whether a recorded message goes to that address."""
    return Notification.objects.filter(pk=notification_id, to=to).exists()


def deliver(notification_id: int, attachments: Attachments | None = None, *, secrets: Secrets | None = None) -> None:
    """Send a recorded message unless it was sent. Raises as `send` does.

    `secrets` makes what only the mail itself may say: it is called when the mail is really made, and goes into the
    body beside the recorded context, never into a table.
    """
    claimed_at = _claim(notification_id)
    if claimed_at is None:
        return _leave_to_other(notification_id)
    try:
        notification = Notification.objects.get(pk=notification_id)
        email.send(_compose(notification, attachments, secrets))
    except Refused as error:
        _let_go(notification_id, claimed_at, NotificationState.FAILED, str(error))
        raise Permanent(f"the mail server refused: {error}") from error
    except BaseException as error:
        _let_go(notification_id, claimed_at, NotificationState.PENDING, f"{type(error).__name__}: {error}")
        raise
    _mark_sent(notification_id)


def _compose(notification: Notification, attachments: Attachments | None, secrets: Secrets | None) -> messages.Message:
    context = notification.context | (secrets() if secrets else {})
    return messages.Message(
        to=notification.to,
        subject=notification.subject,
        text=messages.render_part(notification.kind, "body.txt", context),
        html=messages.render_part(notification.kind, "body.html", context),
        message_id=notification.message_id,
        attachments=tuple(attachments() if attachments else ()),
    )


def _claim(notification_id: int) -> datetime | None:
    """Make this caller the sender; None if it is sent or another is at it. The time is the claim's token."""
    now = timezone.now()
    stale = Q(state=NotificationState.SENDING, claimed_at__lt=now - settings.NOTIFICATION_LEASE)
    claimed = Notification.objects.filter(Q(state__in=CLAIMABLE) | stale, pk=notification_id).update(
        state=NotificationState.SENDING, claimed_at=now, attempts=F("attempts") + 1
    )
    return now if claimed else None


def _leave_to_other(notification_id: int) -> None:
    """Nothing to do if it was sent; else look again when the other sender's lease is over."""
    notification = Notification.objects.filter(pk=notification_id).first()
    if notification is None or notification.state == NotificationState.SENT:
        return
    lease: timedelta = settings.NOTIFICATION_LEASE
    raise Snooze(max(1.0, lease.total_seconds() / 4), "another sender has this message")


def _let_go(notification_id: int, claimed_at: datetime, state: NotificationState, error: str) -> None:
    """Give the claim up; a claim that was taken over meanwhile stays with its new sender."""
    Notification.objects.filter(pk=notification_id, state=NotificationState.SENDING, claimed_at=claimed_at).update(
        state=state, error=error[:1000]
    )


def _mark_sent(notification_id: int) -> None:
    """The server has it: true whoever holds the claim by now. Not to be forgotten because PostgreSQL restarts."""
    unsent = Notification.objects.filter(pk=notification_id).exclude(state=NotificationState.SENT)
    wait_out(
        lambda: unsent.update(state=NotificationState.SENT, sent_at=timezone.now(), error=""),
        f"the record of mail {notification_id}",
        within=settings.NOTIFICATION_LEASE.total_seconds(),
    )
