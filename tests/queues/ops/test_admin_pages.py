"""What the admin's pages of jobs and queues show, word for word."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from queues.models import Job
from tests.jobapp.jobs import record
from tests.queues.ops.test_admin import JOBS, failed_job, staff

pytestmark = pytest.mark.django_db

QUEUES = "/admin/queues/queuestate/"


def shown(answer: Any) -> list[int]:
    return [job.pk for job in answer.context["cl"].result_list]


def cells(page: str, queue: str) -> list[str]:
    """The texts of the queue's row."""
    (row,) = [row for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL) if f"queue={queue}&amp;due" in row]
    return [re.sub("<[^>]*>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]


def test_a_queue_counts_what_waits_what_is_delayed_and_what_failed_apart():
    # given a failed job and the one that waits because of it, two more that wait, and a delayed one
    failed = failed_job()
    waiting = [*Job.objects.filter(state="waiting").values_list("pk", flat=True)]
    waiting += [record.enqueue(label=label).id for label in "ab"]
    delayed = record.using(run_after=timedelta(hours=1)).enqueue(label="c").id
    client = staff("view_job", "view_queuestate")

    # when the page of queues is opened, and its links followed
    page = client.get(QUEUES).content.decode()
    found = [
        set(shown(client.get(f"{JOBS}?queue=order&{wanted}")))
        for wanted in ("due=now", "due=later", "state__exact=active", "state__exact=failed")
    ]

    # then every number is what its link shows
    assert cells(page, "order")[-4:] == ["3", "1", "0", "1"]
    assert found == [set(waiting), {delayed}, set(), {failed.pk}]
    for wanted in ("due=now", "due=later", "state__exact=active", "state__exact=failed"):
        assert f'href="{JOBS}?queue=order&amp;{wanted}"' in page


def test_a_job_that_is_no_suspect_bears_no_warning_sign():
    # given a failed job, and one that is suspected of killing its process
    innocent, suspect = failed_job("a"), failed_job("b")
    Job.objects.filter(pk=suspect.pk).update(suspect=True)
    client = staff("view_job")

    # when their pages are opened
    pages = [client.get(f"{JOBS}{job.pk}/change/").content.decode() for job in (innocent, suspect)]

    # then
    assert ["icon-no" in page for page in pages] == [False, False]
    assert ["next runs alone" in page for page in pages] == [False, True]


def test_a_page_shows_what_its_job_has_reported_and_times_to_the_second():
    # given a job that failed without a result or progress
    job = failed_job()

    # when its page is opened
    page = staff("view_job").get(f"{JOBS}{job.pk}/change/").content.decode()

    # then
    assert "field-error" in page
    assert "field-returned" not in page
    assert "field-bar" not in page
    assert re.search(r"\d+ [A-Z][a-z]{2} 20\d\d, \d\d:\d\d:\d\d", page)


def test_names_of_jobs_are_chosen_from_a_list(admin_client: Client):
    page = admin_client.get(f"{JOBS}?name=jobapp.record").content.decode()

    assert '<option value="?name=jobapp.record" selected>jobapp.record</option>' in page
    assert '<option value="?">All</option>' in page


def test_the_index_names_every_room_once(admin_client: Client):
    page = admin_client.get("/admin/").content.decode()

    rooms = re.findall(r'title="Models in the ([^"]+) application"', page)
    assert len(rooms) == len(set(rooms)) >= 5


def test_the_column_of_errors_is_one_that_wraps_long_texts():
    failed_job()

    page = staff("view_job").get(JOBS).content.decode()

    assert re.search(r"#result_list \.field-error_start[^{]*{ overflow-wrap: anywhere", page)
    assert '<td class="field-error_start">Permanent: never</td>' in page
