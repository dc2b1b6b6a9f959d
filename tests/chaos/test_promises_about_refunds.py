"""Promises about money that went back: kept in a shop in order, broken when the thing itself is broken by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from orders.models import Order, ReviewItem, Stock
from orders.services import returns, review, shipping
from orders.services.shipping import Parcel
from payments.gateways.base import RefundResult, RefundStatus
from payments.gateways.simulated import SimulatedGateway
from payments.models import Payment
from payments.services import refunds
from queues.testing import drain
from tests.orders.shop import staff
from tests.smtp_sink import SmtpSink

from .conftest import ask, mails_in
from .desk import REASON, GivenBack
from .evidence import Evidence
from .promises_of_engine import ENGINE, every_mail_is_sent_once
from .promises_of_jobs import a_job_exists_iff_its_transaction_committed
from .promises_of_money import (
    books_agree_when_compared,
    every_refund_of_an_invoice_has_its_credit_note,
    none_is_charged_and_cancelled_without_refund,
    none_is_charged_twice,
)
from .promises_of_shop import SHOP, stock_is_initial_minus_sold_minus_reserved
from .telling import enough_refunds
from .test_promises import broken, told

BACK = 300


def give_back(*arguments: Any) -> RefundResult:
    return RefundResult(RefundStatus.SUCCEEDED, f"re_{arguments[3]}")


@pytest.fixture
def refunded(evidence: Evidence, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Evidence:
    """The paid order is delivered; staff has given a part of its money back, and of two pieces one was returned."""
    monkeypatch.setattr(SimulatedGateway, "refund", give_back)
    order, payment = Order.objects.get(state="processing"), Payment.objects.get(state="captured")
    with SmtpSink() as sink:
        settings.EMAIL_PORT = sink.port
        refunds.refund(payment.pk, BACK, f"{REASON} (staff)")
        shipping.ship(order.pk, Parcel("India Post", "EM1"))
        shipping.deliver(order.pk)
        send_back(order)
    book = [*evidence.book, *(entry_of(refund, payment) for refund in payment.refunds.all())]
    mails = [*evidence.mails, *mails_in(sink)]
    ask("DELETE FROM queues_outbox WHERE withdrawn")
    scenario = replace(evidence.accepted[0].scenario, then="send back")
    accepted = [replace(evidence.accepted[0], scenario=scenario), evidence.accepted[1]]
    return replace(evidence, book=book, mails=mails, accepted=accepted, given_back={order.pk: GivenBack(BACK)})


def send_back(order: Order) -> None:
    wanted = returns.request_return(order.pk, [("RICE", 1)], "one is enough")
    drain()
    review.decide(ReviewItem.objects.get(return_request=wanted).pk, approve=True, by=staff())
    returns.receive(wanted.pk, {}, "staff")
    drain()


def entry_of(refund: Any, payment: Payment) -> dict[str, Any]:
    facts = {"charge": payment.gateway_reference, "amount_paise": refund.amount_paise, "key": refund.idempotency_key}
    return {"effect": "refund", "status": "succeeded", "reference": refund.gateway_reference, **facts}


def test_a_shop_that_gave_money_back_keeps_every_promise(refunded: Evidence) -> None:
    assert [promise(refunded).broken for promise in (*SHOP, *ENGINE)] == [()] * 13
    assert "2 refunds, 1 of them of returned goods; 2 credit notes" in (
        every_refund_of_an_invoice_has_its_credit_note(refunded).counted
    )


def test_a_refund_that_nobody_asked_for_is_found(refunded: Evidence) -> None:
    assert broken(replace(refunded, given_back={})) == {none_is_charged_and_cancelled_without_refund}


def test_a_refund_whose_asking_had_no_answer_may_be_there_or_not(refunded: Evidence) -> None:
    (order_id,) = refunded.given_back
    unsure = replace(refunded, given_back={order_id: GivenBack(BACK, sure=False)})
    less = [entry for entry in refunded.book if entry["amount_paise"] != BACK]

    assert broken(unsure) == set()
    assert broken(replace(unsure, book=less)) == set()
    assert broken(replace(refunded, book=less)) == {none_is_charged_and_cancelled_without_refund}


def test_a_second_charge_that_was_given_back_is_none(refunded: Evidence) -> None:
    order_id = refunded.accepted[0].order_id
    ask(
        "INSERT INTO payments_payment (order_id, state, amount_paise, currency, captured_paise, refunded_paise,"
        " gateway, gateway_reference, idempotency_key, payment_token, reason, created_at,"
        " intent_reference, client_secret, held, key_generation, key_spoiled, ending)"
        f" VALUES ({order_id}, 'captured', 5, 'INR', 5, 5, 'razorpay', 'pay_2', 'beside-1', '', '', now(),"
        " '', '', false, 1, false, '')"
    )
    charge = {"effect": "charge", "status": "captured", "key": "pay-x", "reference": "pay_2", "amount_paise": 5}
    back = {
        "effect": "refund",
        "status": "succeeded",
        "charge": "pay_2",
        "amount_paise": 5,
        "key": "r",
        "reference": "r",
    }
    twice = replace(refunded, book=[*refunded.book, charge])

    assert none_is_charged_twice(replace(twice, book=[*twice.book, back])).kept
    assert not none_is_charged_and_cancelled_without_refund(twice).kept
    assert "was charged 2 times" in told(none_is_charged_twice, twice)


def test_a_refund_without_its_credit_note_is_found(refunded: Evidence) -> None:
    ask("DELETE FROM orders_creditnoteline; DELETE FROM orders_creditnote")

    assert "has no credit note" in told(every_refund_of_an_invoice_has_its_credit_note, refunded)
    assert "BMC/" in told(every_refund_of_an_invoice_has_its_credit_note, refunded)


def test_a_credit_note_for_money_that_was_never_invoiced_is_found(refunded: Evidence) -> None:
    ask(f"UPDATE payments_refund SET reason = 'the order was paid when the money came' WHERE amount_paise = {BACK}")

    assert "(the order was paid when the money came) has BMC/" in told(
        every_refund_of_an_invoice_has_its_credit_note, refunded
    )


def test_a_refund_that_was_never_made_is_found(refunded: Evidence) -> None:
    ask("UPDATE payments_refund SET state = 'requested'")

    assert "is requested" in told(every_refund_of_an_invoice_has_its_credit_note, refunded)


def test_a_credit_note_without_its_pdf_is_found(refunded: Evidence) -> None:
    for path in Path(refunded.media).rglob("*.pdf"):
        path.unlink()

    assert "has no PDF" in told(every_refund_of_an_invoice_has_its_credit_note, refunded)


def test_a_returned_piece_that_is_not_on_the_shelf_is_found(refunded: Evidence) -> None:
    stock = Stock.objects.get(product__sku="RICE")
    assert stock.on_hand == refunded.initial_stock[stock.pk] - 1
    Stock.objects.update(on_hand=stock.on_hand - 1)

    assert "2 sold + 1 returned" in told(stock_is_initial_minus_sold_minus_reserved, refunded)


@pytest.mark.parametrize("name", ["orders.close_return", "orders.shipping_notification", "payments.issue_credit_note"])
def test_a_job_of_a_refund_or_a_parcel_that_is_missing_is_found(refunded: Evidence, name: str) -> None:
    ask(f"DELETE FROM queues_attempt; DELETE FROM queues_job WHERE name = '{name}'")

    assert f"{name} instead of" in told(a_job_exists_iff_its_transaction_committed, refunded)


def test_a_credit_note_that_was_not_mailed_is_found(refunded: Evidence) -> None:
    note = ask("SELECT message_id FROM notifications_notification WHERE kind = 'credit_note' ORDER BY id")[0]
    fewer = [mail for mail in refunded.mails if mail.message_id != note["message_id"]]

    assert "credit-note-" in told(every_mail_is_sent_once, replace(refunded, mails=fewer))


def test_books_that_differ_are_found(refunded: Evidence) -> None:
    ask(
        "INSERT INTO payments_reconciliation (started_at, asked, settled, differing, unanswered, findings)"
        " VALUES (now(), 1, 0, 1, 0, '[\"payment 1: 0 refunded here, 700 there\"]')"
    )

    assert "700 there" in told(books_agree_when_compared, refunded)


def test_a_run_without_refunds_proves_too_little(refunded: Evidence) -> None:
    assert enough_refunds(refunded.book, 60).kept
    assert not enough_refunds(refunded.book, 90).kept
