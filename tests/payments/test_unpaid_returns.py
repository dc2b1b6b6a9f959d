"""A return whose refund fails at the bank: staff sees it, and has it refunded again or pays it otherwise."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import Settings

from orders.errors import ReturnNotUnpaid
from orders.jobs import reopen_return
from orders.models import CreditNote, DailyFigures, OrderLog, ReturnRequest
from orders.services import invoicing, return_money
from payments.gateways.base import RefundResult, RefundStatus
from payments.gateways.simulated import SimulatedGateway
from payments.models import Payment, Refund
from payments.services import refunds
from payments.services.settle import settle as settle_payment
from queues.models import Job
from queues.testing import drain

from .factories import PRICE_PAISE, captured_payment, make_customer, place, proof, received_return, submitted_payment
from .rivals import at_once

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/orders/returnrequest/"


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> list[RefundResult]:
    """What it answers to every refund and question: the last."""
    settings.MEDIA_ROOT = tmp_path
    answers = [RefundResult(RefundStatus.FAILED, "re_1", "account closed")]
    for method in ("refund", "fetch_refund"):
        monkeypatch.setattr(SimulatedGateway, method, lambda *arguments: answers[-1])
    return answers


def succeeds(bank: list[RefundResult]) -> None:
    bank.append(RefundResult(RefundStatus.SUCCEEDED, "re_2"))


def settled_jobs() -> None:
    for queue in ("payment", "order", "reports"):
        drain(queue=queue)


def unpaid_return() -> ReturnRequest:
    """Its refund has failed, and the jobs have said so."""
    payment = captured_payment(place())
    invoicing.generate_invoice(payment.order_id)
    wanted = received_return(payment)
    settled_jobs()
    wanted.refresh_from_db()
    assert wanted.state == "unpaid"
    return wanted


def staff(*permissions: str) -> Client:
    user: Any = make_customer()
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_returnrequest", *permissions)))
    client = Client()
    client.force_login(user)
    return client


def settle(client: Client, wanted: ReturnRequest, **button: str) -> Any:
    answer = client.post(f"{LIST}{wanted.pk}/settle/", button, follow=True)
    wanted.refresh_from_db()
    return answer


def test_staff_sees_a_return_whose_refund_failed(bank: list[RefundResult]):
    wanted, clerk = unpaid_return(), staff("settle_return")

    assert wanted.unpaid_because == f"refund {Refund.objects.get().pk} failed: account closed"
    assert "unpaid" in clerk.get(LIST, {"state__exact": "unpaid"}).content.decode().lower()
    page = clerk.get(f"{LIST}{wanted.pk}/change/").content.decode()
    assert "account closed" in page
    assert page.count("../settle/") == 2
    assert OrderLog.objects.filter(event="return_unpaid").count() == 1


def test_refunded_again_it_is_paid_once_and_credited_once(bank: list[RefundResult]):
    wanted, clerk = unpaid_return(), staff("settle_return")
    succeeds(bank)

    for _ in range(2):
        settle(clerk, wanted, again="x")
    settled_jobs()

    wanted.refresh_from_db()
    failed, paid = Refund.objects.order_by("pk")
    assert (failed.state, paid.state, paid.amount_paise) == ("failed", "succeeded", PRICE_PAISE)
    assert (wanted.state, wanted.refund_number, wanted.unpaid_because) == ("refunded", paid.pk, "")
    assert Payment.objects.get().refunded_paise == PRICE_PAISE
    assert CreditNote.objects.get().amount_paise == PRICE_PAISE


def test_a_refund_that_fails_again_leaves_it_unpaid(bank: list[RefundResult]):
    wanted = unpaid_return()

    settle(staff("settle_return"), wanted, again="x")
    settled_jobs()

    wanted.refresh_from_db()
    assert (wanted.state, Refund.objects.filter(state="failed").count()) == ("unpaid", 2)


def test_paid_otherwise_it_is_counted_and_credited_once(bank: list[RefundResult]):
    wanted, clerk = unpaid_return(), staff("settle_return")

    for _ in range(2):
        settle(clerk, wanted, otherwise="x", how="NEFT 4711")
    settled_jobs()

    assert wanted.state == "refunded"
    assert wanted.paid_otherwise.startswith("NEFT 4711 (asha")
    assert Refund.objects.count() == 1
    note, figures = CreditNote.objects.get(), DailyFigures.objects.get()
    assert (note.return_request, note.refund_number, note.lines.get().quantity) == (wanted, None, 1)
    assert (figures.refunds, figures.refunded_paise) == (1, PRICE_PAISE)


@pytest.mark.parametrize("first", ["again", "otherwise"])
def test_one_of_the_two_ways_is_taken(bank: list[RefundResult], first: str):
    wanted, clerk = unpaid_return(), staff("settle_return")
    succeeds(bank)
    buttons = {"again": {"again": "x"}, "otherwise": {"otherwise": "x", "how": "NEFT 4711"}}

    settle(clerk, wanted, **buttons.pop(first))
    answer = settle(clerk, wanted, **buttons.popitem()[1])
    settled_jobs()

    assert Refund.objects.filter(state="succeeded").count() == (first == "again")
    assert DailyFigures.objects.get().refunds == 1
    assert "not waiting for its money" in answer.content.decode()
    assert CreditNote.objects.count() == 1


def test_of_many_at_once_one_settles_it(bank: list[RefundResult]):
    wanted = unpaid_return()

    def attempt(settle: Any, *how: str) -> bool:
        try:
            settle(wanted.pk, *how, "anna")
        except ReturnNotUnpaid:
            return False
        return True

    ways = [lambda: attempt(return_money.refund_again), lambda: attempt(return_money.pay_otherwise, "cash")]
    settled = [rival.finish() for rival in at_once(*ways * 3)]

    assert settled.count(True) == 1
    assert OrderLog.objects.filter(event__in=("return_received", "return_refunded")).count() == 2


def test_how_it_was_paid_has_to_be_said(bank: list[RefundResult]):
    wanted = unpaid_return()

    answer = settle(staff("settle_return"), wanted, otherwise="x", how=" ")

    assert wanted.state == "unpaid"
    assert "Say how it was paid" in answer.content.decode()


def test_who_may_only_look_settles_nothing(bank: list[RefundResult]):
    wanted, client = unpaid_return(), staff()

    assert "../settle/" not in client.get(f"{LIST}{wanted.pk}/change/").content.decode()
    for button in ({"again": "x"}, {"otherwise": "x", "how": "cash"}):
        assert settle(client, wanted, **button).status_code == 403
    assert wanted.state == "unpaid"


def test_money_that_a_bank_sends_back_later_is_owed_again_and_credited_once(bank: list[RefundResult]):
    order = place(quantity=2)
    payment = settle_payment(submitted_payment(order).pk, proof("captured", order.total_paise))
    invoicing.generate_invoice(payment.order_id)
    succeeds(bank)
    wanted = received_return(payment)
    settled_jobs()

    bank.append(RefundResult(RefundStatus.FAILED, "re_2", "returned"))
    refunds.check(Refund.objects.get().pk)
    settled_jobs()
    wanted.refresh_from_db()
    assert (wanted.state, wanted.unpaid_because[-8:]) == ("unpaid", "returned")
    succeeds(bank)
    settle(staff("settle_return"), wanted, again="x")
    settled_jobs()

    wanted.refresh_from_db()
    assert wanted.state == "refunded"
    assert CreditNote.objects.get().amount_paise == PRICE_PAISE
    assert not Job.objects.filter(state="failed").exists()


def test_late_news_of_an_old_refund_changes_nothing(bank: list[RefundResult]):
    wanted = unpaid_return()
    late = Job.objects.get(name="orders.reopen_return")
    succeeds(bank)
    settle(staff("settle_return"), wanted, again="x")
    settled_jobs()

    assert reopen_return(**late.args) is False
    wanted.refresh_from_db()
    assert wanted.state == "refunded"
