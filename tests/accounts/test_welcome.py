"""The welcome mail's job."""

import pytest

from bharatmart.accounts import jobs
from bharatmart.accounts.models import User
from notifications.models import Notification
from queues.definitions import registry
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db


def test_job_run_twice_welcomes_once(sink: SmtpSink) -> None:
    user = User.objects.create_user("asha@example.in")

    jobs.welcome(user.pk)
    jobs.welcome(user.pk)

    assert [mail["To"] for mail in sink.mails] == ["asha@example.in"]


def test_deleted_account_is_not_welcomed(sink: SmtpSink) -> None:
    jobs.welcome(404)

    assert (sink.connections, Notification.objects.count()) == (0, 0)


def test_job_is_known_as_accounts_welcome_on_the_email_queue() -> None:
    assert registry.get("accounts.welcome").queue == "email"
