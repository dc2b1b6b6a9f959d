"""Lists that grow for ever are paged by key."""

import re

import pytest
from django.test import Client
from django.utils.html import escape

from queues import ledger
from tests.jobapp.jobs import record, record_mail

pytestmark = pytest.mark.django_db
LIST = "/admin/queues/job/"


@pytest.fixture
def ids() -> list[int]:
    """130 jobs: three pages."""
    return ledger.enqueue([record.request({"label": str(number)}) for number in range(130)])


def shown(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'name="_selected_action" value="(\d+)"', page)]


def link(page: str, words: str) -> str:
    (found,) = re.findall(rf'<a href="([^"]*)">{words}</a>', page)
    return LIST + found.replace("&amp;", "&")


def load(client: Client, path: str = LIST) -> str:
    return client.get(path, follow=True).content.decode()


def test_pages_to_the_end_and_back_show_each_job_once(admin_client: Client, ids: list[int]):
    first = load(admin_client)
    second = load(admin_client, link(first, "older →"))
    last = load(admin_client, link(second, "older →"))

    assert shown(first) + shown(second) + shown(last) == ids[::-1]
    assert "older →" not in last
    assert "newer" not in first
    assert "130 jobs" in first
    assert shown(load(admin_client, link(last, "← newer"))) == shown(second)
    assert shown(load(admin_client, link(last, "⇤ newest"))) == shown(first)


def test_jobs_that_come_in_meanwhile_move_no_page(admin_client: Client, ids: list[int]):
    first = load(admin_client)
    record.enqueue(label="meanwhile")

    assert shown(load(admin_client, link(first, "older →"))) == ids[::-1][50:100]


def test_filters_are_kept_by_the_pages_and_begin_anew_at_the_newest(admin_client: Client, ids: list[int]):
    ledger.enqueue([record_mail.request({"label": str(number)}) for number in range(60)])
    second = load(admin_client, link(load(admin_client, f"{LIST}?queue=order"), "older →"))

    assert shown(second) == ids[::-1][50:100]
    assert escape("?queue=email") in second  # a filter's link forgets the place in the list


@pytest.mark.parametrize("place", ["before=x", "after=-1", "before=", f"before={2**63}", "after=%00"])
def test_nonsense_leads_to_the_first_page(admin_client: Client, ids: list[int], place: str):
    assert shown(load(admin_client, f"{LIST}?{place}")) == ids[::-1][:50]


def test_page_beyond_the_end_is_empty_and_leads_back(admin_client: Client, ids: list[int]):
    page = load(admin_client, f"{LIST}?before={ids[0]}")

    assert shown(page) == []
    assert shown(load(admin_client, link(page, "⇤ newest"))) == ids[::-1][:50]


def test_every_page_reads_as_few_rows_as_the_first(admin_client: Client, ids: list[int], django_assert_max_num_queries):
    deep = f"{LIST}?before={ids[10]}"
    load(admin_client, deep)

    with django_assert_max_num_queries(8) as queries:
        load(admin_client, deep)

    assert not any("OFFSET" in query["sql"] for query in queries)
