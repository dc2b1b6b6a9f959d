from typing import Any

import pytest

from orders.services import invoicing
from queues.models import Job
from tests.orders.shop import api, content_of, make_order, make_paid_order, make_product, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_an_order_tells_of_its_jobs():
    customer = make_user()
    order = make_order(customer=customer)

    told = api(customer).get(f"/api/orders/{order.pk}").json()

    assert told["state"] == "pending"
    jobs = {job["name"]: job for job in told["jobs"]}
    assert set(jobs["orders.order_confirmation"]) == {
        *("name", "state", "attempt", "run_at", "finished_at"),
        *("progress", "progress_note", "result"),
    }
    assert jobs["orders.order_confirmation"]["state"] == "waiting"
    assert jobs["payments.auto_cancel"]["run_at"] > jobs["orders.order_confirmation"]["run_at"]


def test_owner_sees_how_far_the_jobs_are_and_what_they_returned():
    # given an order with a job that runs and one that is done
    customer = make_user()
    order = make_order(customer=customer)
    jobs = Job.objects.filter(subject=f"order-{order.pk}")
    jobs.filter(name="payments.process_payment").update(progress=40, progress_note="asking the bank")
    jobs.filter(name="orders.order_confirmation").update(result={"mail": 7})

    # when its owner looks
    answer = api(customer).get(f"/api/orders/{order.pk}").json()

    # then
    told = {job["name"]: (job["progress"], job["progress_note"], job["result"]) for job in answer["jobs"]}
    assert told["payments.process_payment"] == (40, "asking the bank", None)
    assert told["orders.order_confirmation"] == (None, "", {"mail": 7})


def test_progress_and_result_of_jobs_are_described():
    schema = api().get("/api/schema?format=json").json()["components"]["schemas"]["Job"]["properties"]

    assert (schema["progress"]["type"], schema["progress"]["nullable"]) == ("integer", True)
    assert schema["progress_note"]["type"] == "string"
    assert "returned" in schema["result"]["description"]


def test_the_list_has_the_callers_orders_newest_first():
    customer = make_user()
    orders = [make_order(customer=customer) for _ in range(3)]
    make_order()

    page = api(customer).get("/api/orders?limit=2").json()
    rest = api(customer).get(page["next"]).json()

    assert [order["id"] for order in page["results"] + rest["results"]] == [order.pk for order in reversed(orders)]
    assert rest["next"] is None
    assert page["results"][0]["links"]["self"] == f"/api/orders/{orders[2].pk}"


@pytest.mark.parametrize("page", ["", "/invoice"])
def test_nobody_sees_anothers_order(page: str):
    order = make_paid_order()
    invoicing.generate_invoice(order.pk)

    assert api(make_user()).get(f"/api/orders/{order.pk}{page}").status_code == 404
    assert api().get(f"/api/orders/{order.pk}{page}").status_code == 401


@pytest.mark.parametrize("number", ["0", "999999", "9" * 30])
def test_an_order_that_does_not_exist_is_not_found(number: str):
    answer = api(make_user()).get(f"/api/orders/{number}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_invoice_can_be_fetched_once_it_is_issued():
    customer = make_user()
    order = make_paid_order(customer=customer)
    client = api(customer)
    assert client.get(f"/api/orders/{order.pk}/invoice").status_code == 404
    assert "invoice" not in client.get(f"/api/orders/{order.pk}").json()["links"]

    invoice = invoicing.generate_invoice(order.pk)

    link = client.get(f"/api/orders/{order.pk}").json()["links"]["invoice"]
    answer = client.get(link)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert invoice.file_name in answer.headers["Content-Disposition"]
    assert content_of(answer).startswith(b"%PDF-")


def test_an_invoice_without_its_file_is_not_issued_yet(monkeypatch: pytest.MonkeyPatch):
    customer = make_user()
    order = make_paid_order(customer=customer)
    monkeypatch.setattr(invoicing, "render_invoice", lambda data: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        invoicing.generate_invoice(order.pk)

    assert api(customer).get(f"/api/orders/{order.pk}/invoice").status_code == 404


def test_the_statements_of_a_list_do_not_grow_with_it(django_assert_num_queries: Any, settings: Any):
    settings.API_LIMITS = {}
    customer = make_user()
    make_product("RICE", on_hand=100)
    orders = [make_paid_order(customer=customer) for _ in range(12)]
    client = api(customer)

    with django_assert_num_queries(1):
        client.get("/api/orders")
    with django_assert_num_queries(3):  # the order with its invoice, its lines, its jobs
        client.get(f"/api/orders/{orders[0].pk}")
