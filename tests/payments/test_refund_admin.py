"""Staff ask for refunds in the admin: within the capture, with permission, by a job."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from payments.jobs import refund_payment
from payments.models import Payment, ProviderEvent, Reconciliation, Refund
from queues.testing import assert_enqueued

from .factories import PRICE_PAISE, captured_payment, make_customer, place

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment() -> Payment:
    return captured_payment(place())


def page(payment: Payment) -> str:
    return f"/admin/payments/payment/{payment.pk}/refund/"


def staff(*permissions: str) -> Client:
    user: Any = make_customer()
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_refund_is_asked_for_by_its_page(admin_client: Client, payment: Payment):
    assert "../refund/" in admin_client.get(f"/admin/payments/payment/{payment.pk}/change/").content.decode()
    assert str(PRICE_PAISE) in admin_client.get(page(payment)).content.decode()

    answer = admin_client.post(page(payment), {"amount_paise": "9900", "reason": "one box was broken"})

    refund = Refund.objects.get()
    assert answer.status_code == 302
    assert (refund.amount_paise, refund.state) == (9_900, "requested")
    assert refund.reason.startswith("one box was broken (")
    assert_enqueued(refund_payment, refund_id=refund.pk)


def test_form_that_is_sent_twice_refunds_once(admin_client: Client, payment: Payment):
    (wish,) = re.findall(r'name="wish" value="([0-9a-f-]{36})"', admin_client.get(page(payment)).content.decode())
    form = {"amount_paise": "9900", "reason": "one box was broken", "wish": wish}

    answers = [admin_client.post(page(payment), form).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert (Refund.objects.get().amount_paise, Payment.objects.get().refunded_paise) == (9_900, 9_900)
    assert wish not in admin_client.get(page(payment)).content.decode()


@pytest.mark.parametrize("amount", ["0", "-1", str(PRICE_PAISE + 1), "1.5", "", "lots"])
def test_impossible_amount_is_refused(admin_client: Client, payment: Payment, amount: str):
    answer = admin_client.post(page(payment), {"amount_paise": amount, "reason": "test"})

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Refund.objects.exists()


@pytest.mark.parametrize("permissions", [(), ("view_payment",), ("add_refund",)])
def test_who_may_not_refund_is_refused(payment: Payment, permissions: tuple[str, ...]):
    client = staff(*permissions)

    assert client.get(page(payment)).status_code == 403
    assert client.post(page(payment), {"amount_paise": "1", "reason": "test"}).status_code == 403
    assert not Refund.objects.exists()


def test_who_may_refund_needs_no_more(payment: Payment):
    client = staff("view_payment", "add_refund")

    assert client.post(page(payment), {"amount_paise": "1", "reason": "test"}).status_code == 302
    assert Refund.objects.get().amount_paise == 1


def test_stranger_is_sent_to_log_in(client: Client, payment: Payment):
    assert client.get(page(payment)).status_code == 302
    assert not Refund.objects.exists()


@pytest.mark.parametrize("name", ["providerevent", "reconciliation", "gatewayhealth"])
def test_what_is_known_of_the_providers_is_read_only(admin_client: Client, name: str):
    ProviderEvent.objects.create(provider="stripe", event_id="evt_1", kind="x")
    Reconciliation.objects.create()

    assert admin_client.get(f"/admin/payments/{name}/").status_code == 200
    assert admin_client.post(f"/admin/payments/{name}/add/").status_code == 403
