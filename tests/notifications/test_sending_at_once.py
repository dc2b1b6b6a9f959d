"""The same message sent by several threads with connections of their own."""

import threading

import pytest
from django.db import connection, connections

from notifications import services
from notifications.channels import email
from notifications.messages import Message
from notifications.models import Notification
from queues import Snooze
from tests.processes import wait_for
from tests.smtp_sink import SmtpSink


@pytest.mark.django_db(transaction=True)
def test_eight_threads_send_one_mail(sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(8, timeout=30)
    really_send = email.send

    def send_when_the_others_have_come(message: Message) -> None:
        wait_for(lambda: len(outcomes) == 7)
        really_send(message)

    def run() -> None:
        try:
            start.wait()
            services.send(kind="welcome", to="asha@example.in", context={"shop": "BharatMart"}, key="welcome-1")
            outcomes.append("done")
        except Snooze:
            outcomes.append("snoozed")
        finally:
            connections.close_all()

    monkeypatch.setattr(email, "send", send_when_the_others_have_come)
    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sink.mails) == 1
    assert sorted(outcomes) == ["done"] + ["snoozed"] * 7
    assert (Notification.objects.get().state, Notification.objects.get().attempts) == ("sent", 1)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_server_is_asked(sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bool, str]] = []
    really_send = email.send

    def watch(message: Message) -> None:
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT state FROM notifications_notification")
            seen.append((connection.in_atomic_block, cursor.fetchone()[0]))
        other.close()
        really_send(message)

    monkeypatch.setattr(email, "send", watch)

    services.send(kind="welcome", to="asha@example.in", context={"shop": "BharatMart"}, key="welcome-1")

    assert seen == [(False, "sending")]
