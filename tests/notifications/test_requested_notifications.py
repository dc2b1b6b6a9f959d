"""notify(): for requests, which may not talk to a mail server."""

import pytest
from django.db import transaction

from notifications import jobs, services
from notifications.models import Notification
from queues.models import Job
from queues.testing import assert_enqueued, drain
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db


def notify(key: str = "welcome-1") -> Notification:
    return services.notify(kind="welcome", to="asha@example.in", context={"shop": "BharatMart"}, key=key)


def test_request_only_records_and_the_job_sends(sink: SmtpSink) -> None:
    row = notify()

    assert (row.state, sink.connections) == ("pending", 0)
    assert_enqueued(jobs.deliver, notification_id=row.pk)

    drain(queue="email")
    row.refresh_from_db()
    assert (row.state, len(sink.mails)) == ("sent", 1)


def test_same_key_is_asked_for_once(sink: SmtpSink) -> None:
    first, second = notify(), notify()

    assert first.pk == second.pk
    assert Job.objects.filter(name="notifications.deliver").count() == 1


def test_rolled_back_request_leaves_neither_row_nor_job(sink: SmtpSink) -> None:
    with transaction.atomic():
        notify()
        transaction.set_rollback(True)

    assert (Notification.objects.count(), Job.objects.count()) == (0, 0)


def test_job_run_twice_sends_once(sink: SmtpSink) -> None:
    row = notify()

    jobs.deliver(row.pk)
    jobs.deliver(row.pk)

    assert len(sink.mails) == 1


def test_job_of_a_refused_mail_is_given_up_at_once(sink: SmtpSink) -> None:
    sink.fail_next("550")
    notify()

    drain(queue="email", raises=False)

    job = Job.objects.get(name="notifications.deliver")
    assert (job.state, job.attempt) == ("failed", 1)
    assert "550" in job.error
    assert Notification.objects.get().state == "failed"


def test_deleted_notification_ends_its_job_quietly(sink: SmtpSink) -> None:
    notify().delete()

    drain(queue="email")

    assert Job.objects.get(name="notifications.deliver").state == "completed"
