"""`GET /api/queues/stats`: jobs by state, in total and per queue, for staff."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from queues.testing import drain
from tests.jobapp.jobs import fail, record, record_mail

pytestmark = pytest.mark.django_db


def test_stats_count_jobs_by_state_and_delayed_ones_apart(admin_client: Client):
    # given one completed, one failed, one waiting, one delayed job
    record_mail.enqueue(label="done")
    drain(queue="email")
    fail.enqueue(label="f", how="cancel")
    drain(queue="order", raises=False)
    record.enqueue(label="waits")
    record.using(run_after=60).enqueue(label="later")

    # when
    answer = admin_client.get("/api/queues/stats").json()

    # then
    assert {name: answer[name] for name in ("waiting", "active", "completed", "failed", "delayed")} == {
        "waiting": 1,
        "active": 0,
        "completed": 1,
        "failed": 0,
        "delayed": 1,
    }
    assert answer["queues"]["order"] == {"waiting": 1, "active": 0, "completed": 0, "failed": 0, "delayed": 1}
    assert answer["queues"]["email"]["completed"] == 1
    assert answer["queues"]["reports"]["waiting"] == 0
    assert answer["mode"] == "rq"


def test_stats_are_for_staff():
    # given a customer
    client = Client()
    client.force_login(get_user_model().objects.create_user(email="asha@example.com", password="x"))

    # then
    assert client.get("/api/queues/stats").status_code == 403
    assert Client().get("/api/queues/stats").status_code == 401
