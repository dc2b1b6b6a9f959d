"""Asking running jobs to stop, in the admin."""

import pytest

from tests.jobapp.jobs import record
from tests.queues.claims import claim_for
from tests.queues.ops.test_admin import act, staff

pytestmark = pytest.mark.usefixtures("ledger_db")


def test_admin_reports_what_was_cancelled_and_what_was_asked_to_stop(db):
    # given a waiting and a running job
    active = claim_for(None, record, label="active").id
    waiting = record.enqueue(label="waiting").id
    client = staff("view_job", "cancel_job")

    # when both are chosen
    page = act(client, "cancel_selected", waiting, active)

    # then
    assert "1 cancelled, 1 running job was asked to stop." in page
    assert "left as they are" not in page
    assert "asked to stop" in client.get("/admin/queues/job/").content.decode()


def test_page_of_a_running_job_offers_to_stop_it_until_it_was_asked(db):
    active = claim_for(None, record, label="active").id
    client = staff("view_job", "cancel_job")
    page = f"/admin/queues/job/{active}/change/"

    before = client.get(page).content.decode()
    act(client, "cancel_selected", active)
    after = client.get(page).content.decode()

    assert ("Ask to stop" in before, "Ask to stop" in after) == (True, False)


def test_without_the_permission_nothing_offers_to_stop_a_job(db):
    active = claim_for(None, record, label="active").id

    page = staff("view_job").get(f"/admin/queues/job/{active}/change/").content.decode()

    assert "jobapp.record" in page
    assert "Ask to stop" not in page
