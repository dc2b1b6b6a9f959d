"""One mail a key, whatever the server answers and however often the job runs."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications import services
from notifications.errors import UnknownKind
from notifications.models import Notification
from notifications.states import NotificationState
from queues import Permanent, Snooze
from tests.smtp_sink import RECIPIENT, SmtpSink

pytestmark = pytest.mark.django_db


def send(key: str = "welcome-1", to: str = "asha@example.in", **more: object) -> None:
    services.send(kind="welcome", to=to, context={"name": "Asha", "shop": "BharatMart"}, key=key, **more)  # type: ignore[arg-type]


def test_message_is_sent_and_recorded(sink: SmtpSink) -> None:
    send()

    row = Notification.objects.get(key="welcome-1")
    assert (row.state, row.attempts, row.error) == ("sent", 1, "")
    assert row.sent_at is not None
    assert [mail["Message-ID"] for mail in sink.mails] == [row.message_id]
    assert sink.mails[0]["To"] == "asha@example.in"


def test_same_key_sends_once(sink: SmtpSink) -> None:
    send()
    send()

    assert len(sink.mails) == 1
    assert Notification.objects.get().attempts == 1


def test_other_key_is_another_message(sink: SmtpSink) -> None:
    send("welcome-1")
    send("welcome-2")

    assert len({mail["Message-ID"] for mail in sink.mails}) == 2


@pytest.mark.parametrize("at", ["content", RECIPIENT])
def test_temporary_refusal_is_raised_and_the_next_run_sends(sink: SmtpSink, at: str) -> None:
    sink.fail_next("451", at=at)

    with pytest.raises(smtplib.SMTPException):
        send()
    refused = Notification.objects.get()
    assert (refused.state, sink.mails) == ("pending", [])
    assert "451" in refused.error

    send()
    sent = Notification.objects.get()
    assert (sent.state, sent.attempts, sent.error, len(sink.mails)) == ("sent", 2, "", 1)


def test_lost_connection_is_raised_and_the_next_run_sends(sink: SmtpSink) -> None:
    sink.fail_next("disconnect")

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send()
    assert Notification.objects.get().state == "pending"

    send()
    assert len(sink.mails) == 1


def test_no_server_is_raised_for_a_retry(sink: SmtpSink, settings: Any) -> None:
    settings.EMAIL_PORT = 1

    with pytest.raises(OSError, match="refused"):
        send()

    assert Notification.objects.get().state == "pending"


def test_copy_after_a_lost_answer_bears_the_same_message_id(sink: SmtpSink) -> None:
    sink.fail_next("disconnect", keep=True)

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send()
    send()

    assert len(sink.mails) == 2
    assert len({mail["Message-ID"] for mail in sink.mails}) == 1


@pytest.mark.parametrize("at", ["content", RECIPIENT])
def test_permanent_refusal_fails_for_good(sink: SmtpSink, at: str) -> None:
    sink.fail_next("550", at=at)

    with pytest.raises(Permanent, match="550"):
        send()

    row = Notification.objects.get()
    assert (row.state, row.sent_at, sink.mails) == ("failed", None, [])
    assert row.error.startswith("550")


def test_failed_message_is_sent_when_an_operator_retries_its_job(sink: SmtpSink) -> None:
    sink.fail_next("550")
    with pytest.raises(Permanent):
        send()

    send()

    assert (Notification.objects.get().state, len(sink.mails)) == ("sent", 1)


def test_message_in_other_hands_is_left_alone(sink: SmtpSink) -> None:
    row, _ = services.record(kind="welcome", to="asha@example.in", context={"shop": "S"}, key="welcome-1")
    Notification.objects.filter(pk=row.pk).update(state="sending", claimed_at=timezone.now())

    with pytest.raises(Snooze):
        send()

    assert (sink.mails, Notification.objects.get().state) == ([], "sending")


def test_sender_that_died_is_taken_over_after_its_lease(sink: SmtpSink, settings: Any) -> None:
    row, _ = services.record(kind="welcome", to="asha@example.in", context={"shop": "S"}, key="welcome-1")
    before = timezone.now() - settings.NOTIFICATION_LEASE - timedelta(seconds=1)
    Notification.objects.filter(pk=row.pk).update(state="sending", claimed_at=before)

    send()

    assert (Notification.objects.get().state, len(sink.mails)) == ("sent", 1)


def test_sender_that_was_taken_over_cannot_undo_the_success(sink: SmtpSink) -> None:
    row, _ = services.record(kind="welcome", to="asha@example.in", context={"shop": "S"}, key="welcome-1")
    stale = services.mail._claim(row.pk)
    assert stale is not None
    Notification.objects.filter(pk=row.pk).update(claimed_at=timezone.now())

    services.mail._let_go(row.pk, stale, NotificationState.PENDING, "late")

    row.refresh_from_db()
    assert (row.state, row.error) == ("sending", "")


def test_attachments_are_made_only_for_a_mail_that_is_sent(sink: SmtpSink) -> None:
    made = []

    def pdf() -> list[tuple[str, bytes, str]]:
        made.append(1)
        return [("invoice.pdf", b"%PDF-1.7 \x00\xff", "application/pdf")]

    send(attachments=pdf)
    send(attachments=pdf)

    attachment = next(iter(sink.mails[0].iter_attachments()))
    assert len(made) == 1
    assert (attachment.get_filename(), attachment.get_content_type()) == ("invoice.pdf", "application/pdf")
    assert attachment.get_content() == b"%PDF-1.7 \x00\xff"


def test_trouble_with_an_attachment_gives_the_message_back(sink: SmtpSink) -> None:
    def broken() -> list[tuple[str, bytes, str]]:
        raise FileNotFoundError("invoice.pdf")

    with pytest.raises(FileNotFoundError):
        send(attachments=broken)

    assert (Notification.objects.get().state, sink.mails) == ("pending", [])


def test_unknown_kind_is_refused_and_leaves_nothing(sink: SmtpSink) -> None:
    with pytest.raises(UnknownKind, match="'greeting'"):
        services.send(kind="greeting", to="asha@example.in", context={}, key="greeting-1")

    assert (Notification.objects.count(), sink.connections) == (0, 0)
