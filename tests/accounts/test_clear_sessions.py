"""Sessions that have expired are deleted every night."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from bharatmart.accounts.jobs import clear_sessions
from queues.testing import assert_enqueued, drain, moved, tick

pytestmark = pytest.mark.django_db


def test_expired_sessions_are_deleted_and_others_kept():
    # given one that has expired, and one that has not
    now = timezone.now()
    Session.objects.create(session_key="old", session_data="", expire_date=now - timedelta(seconds=1))
    Session.objects.create(session_key="valid", session_data="", expire_date=now + timedelta(hours=1))

    # when a day has passed
    with moved(days=1):
        tick()
        assert_enqueued(clear_sessions)
        drain(queue="order")

    # then
    assert list(Session.objects.values_list("session_key", flat=True)) == ["valid"]
