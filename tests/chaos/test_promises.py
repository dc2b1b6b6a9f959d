"""Each promise is found kept in a shop in order, and broken when the very thing it is about is broken by hand."""

from collections.abc import Callable
from dataclasses import replace

from .buyers import Accepted
from .conftest import PAID, ask
from .evidence import Evidence, Finding, Mail
from .promises_of_engine import (
    ENGINE,
    attempts_and_crashes_are_consistent,
    every_job_is_final_or_rightly_waiting,
    every_mail_is_sent_once,
    nobody_is_rescued_by_mistake,
)
from .promises_of_jobs import a_job_exists_iff_its_transaction_committed
from .promises_of_money import none_is_charged_and_cancelled_without_refund, none_is_charged_twice
from .promises_of_shop import (
    SHOP,
    invoices_are_gap_free_one_per_paid_order,
    no_accepted_order_is_lost,
    no_reservation_of_a_finished_order,
    stock_is_initial_minus_sold_minus_reserved,
)

Promise = Callable[[Evidence], Finding]


def broken(evidence: Evidence) -> set[Promise]:
    return {promise for promise in (*SHOP, *ENGINE) if not promise(evidence).kept}


def told(promise: Promise, evidence: Evidence) -> str:
    return "\n".join(promise(evidence).broken)


def test_a_shop_in_order_keeps_every_promise(evidence: Evidence) -> None:
    assert [promise(evidence).broken for promise in (*SHOP, *ENGINE)] == [()] * 13


def test_an_order_that_is_gone_is_lost(evidence: Evidence) -> None:
    more = replace(evidence, accepted=[*evidence.accepted, Accepted(999_999, PAID)])

    assert broken(more) == {no_accepted_order_is_lost}
    assert told(no_accepted_order_is_lost, more) == "order 999999 (paid) is not there"


def test_an_order_without_an_end_is_lost(evidence: Evidence) -> None:
    ask(f"UPDATE orders_order SET state = 'pending' WHERE id = {evidence.accepted[1].order_id}")

    assert "(declined) is pending" in told(no_accepted_order_is_lost, evidence)


def test_an_order_that_nobody_was_told_of_is_found(evidence: Evidence) -> None:
    fewer = replace(evidence, accepted=evidence.accepted[:1])

    assert broken(fewer) == {no_accepted_order_is_lost}
    assert "nobody asked for order" in told(no_accepted_order_is_lost, fewer)


def test_a_second_charge_is_found(evidence: Evidence) -> None:
    ask(
        "INSERT INTO payments_payment (order_id, state, amount_paise, currency, captured_paise, refunded_paise,"
        " gateway, gateway_reference, idempotency_key, payment_token, reason, created_at,"
        " intent_reference, client_secret, held, key_generation, key_spoiled, ending)"
        " SELECT order_id, state, amount_paise, currency, captured_paise, 0, gateway, 'ch_2', 'pay-2', 'x', '', now(),"
        " '', '', false, 1, false, ''"
        " FROM payments_payment WHERE state = 'captured'"
    )
    charge = next(entry for entry in evidence.book if entry["status"] == "captured")
    twice = replace(evidence, book=[*evidence.book, {**charge, "key": "pay-2", "reference": "ch_2"}])

    assert "was charged 2 times" in told(none_is_charged_twice, twice)
    assert none_is_charged_and_cancelled_without_refund in broken(twice)


def test_money_that_is_taken_under_an_unknown_key_is_found(evidence: Evidence) -> None:
    charge = next(entry for entry in evidence.book if entry["status"] == "captured")
    stray = replace(evidence, book=[*evidence.book, {**charge, "key": "pay-stray", "reference": "ch_2"}])

    assert broken(stray) == {none_is_charged_twice}


def test_a_capture_that_the_gateway_does_not_know_is_found(evidence: Evidence) -> None:
    without = replace(evidence, book=[entry for entry in evidence.book if entry["status"] != "captured"])

    assert "the gateway's book has no charge" in told(none_is_charged_twice, without)


def test_money_that_a_cancelled_order_has_not_got_back_is_found(evidence: Evidence) -> None:
    ask("UPDATE orders_order SET state = 'cancelled' WHERE state = 'processing'")

    assert "is cancelled: 21000 paise are kept, 0 owed" in told(none_is_charged_and_cancelled_without_refund, evidence)


def test_a_refund_of_a_delivered_order_is_found(evidence: Evidence) -> None:
    charge = next(entry for entry in evidence.book if entry["status"] == "captured")
    refund = {"effect": "refund", "status": "succeeded", "charge": charge["reference"], "amount_paise": 100, "key": "r"}
    refunded = replace(evidence, book=[*evidence.book, refund])

    assert broken(refunded) == {none_is_charged_and_cancelled_without_refund}


def test_a_piece_that_left_the_shelf_unsold_is_found(evidence: Evidence) -> None:
    ask("UPDATE orders_stock SET on_hand = on_hand - 1")

    assert broken(evidence) == {stock_is_initial_minus_sold_minus_reserved}


def test_a_piece_that_is_reserved_for_nobody_is_found(evidence: Evidence) -> None:
    ask("UPDATE orders_stock SET reserved = reserved + 1")

    assert broken(evidence) == {stock_is_initial_minus_sold_minus_reserved}
    assert "1 reserved, but orders hold 0" in told(stock_is_initial_minus_sold_minus_reserved, evidence)


def test_a_reservation_of_a_cancelled_order_is_found(evidence: Evidence) -> None:
    ask("UPDATE orders_reservation SET state = 'held' WHERE state = 'released'")
    ask("UPDATE orders_stock s SET reserved = 1 FROM orders_reservation r WHERE r.state = 'held' "
        "AND r.product_id = s.product_id")  # fmt: skip

    assert broken(evidence) == {no_reservation_of_a_finished_order}


def test_a_gap_in_the_invoice_numbers_is_found(evidence: Evidence) -> None:
    ask("UPDATE orders_documentseries SET last_number = last_number + 1")

    assert broken(evidence) == {invoices_are_gap_free_one_per_paid_order}
    assert told(invoices_are_gap_free_one_per_paid_order, evidence).endswith("000002 is missing")


def test_a_paid_order_without_an_invoice_is_found(evidence: Evidence) -> None:
    ask("DELETE FROM orders_invoice; UPDATE orders_documentseries SET last_number = 0")

    assert "is processing and has no invoice" in told(invoices_are_gap_free_one_per_paid_order, evidence)


def test_an_invoice_without_its_pdf_is_found(evidence: Evidence) -> None:
    for path in evidence.media.rglob("*.pdf"):
        path.unlink()

    assert broken(evidence) == {invoices_are_gap_free_one_per_paid_order}


def test_a_waiting_job_without_an_outbox_row_is_found(evidence: Evidence) -> None:
    ask(
        "INSERT INTO queues_job (name, queue, args, state, max_attempts, run_at, subject, priority, attempt, crashes,"
        ' lone_crashes, suspect, "offer", error)'
        " VALUES ('x.y', 'email', '{}', 'waiting', 3, now() + interval '1 day', '', 0, 0, 0, 0, false, 0, '')"
    )

    assert broken(evidence) == {every_job_is_final_or_rightly_waiting}
    assert "is waiting, not in the outbox" in told(every_job_is_final_or_rightly_waiting, evidence)


def test_a_job_that_waits_for_its_time_is_in_order(evidence: Evidence) -> None:
    make_waiting(due="now() + interval '1 day'")

    assert broken(evidence) == set()


def test_a_due_job_that_nobody_runs_is_found(evidence: Evidence) -> None:
    make_waiting(due="now() - interval '1 s'")

    assert broken(evidence) == {every_job_is_final_or_rightly_waiting}


def make_waiting(due: str) -> None:
    ask(
        "WITH made AS (INSERT INTO queues_job (name, queue, args, state, max_attempts, run_at, subject, priority,"
        ' attempt, crashes, lone_crashes, suspect, "offer", error)'
        f" VALUES ('x.y', 'email', '{{}}', 'waiting', 3, {due}, '', 0, 0, 0, 0, false, 0, '') RETURNING id)"
        ' INSERT INTO queues_outbox (job_id, queue, priority, due_at, "offer", withdrawn)'
        f" SELECT id, 'email', 0, {due}, 0, false FROM made"
    )


def test_a_failed_job_is_told_with_its_error(evidence: Evidence) -> None:
    ask("UPDATE queues_job SET state = 'failed', error = 'ValueError: no' WHERE name = 'orders.process_order'")

    assert "failed: ValueError: no" in told(every_job_is_final_or_rightly_waiting, evidence)


def test_a_job_that_is_missing_is_found(evidence: Evidence) -> None:
    ask("DELETE FROM queues_attempt; DELETE FROM queues_job WHERE name = 'orders.process_order'")

    assert "0 orders.process_order instead of 1" in told(a_job_exists_iff_its_transaction_committed, evidence)


def test_a_mail_that_came_twice_without_reason_is_found(evidence: Evidence) -> None:
    twice = replace(evidence, mails=[*evidence.mails, evidence.mails[0]])

    assert broken(twice) == {every_mail_is_sent_once}
    assert "1 mails came twice, 0 sends were hit by faults" in told(every_mail_is_sent_once, twice)
    assert "came 2 times, its sending was interrupted 0 times" in told(every_mail_is_sent_once, twice)


def test_a_mail_that_came_twice_because_its_sender_died_is_counted(evidence: Evidence) -> None:
    ask(
        "INSERT INTO queues_attempt (job_id, number, outcome, worker, finished_at, error, traceback)"
        " SELECT id, 1, 'crashed', 'w (h:1)', now(), '', '' FROM queues_job WHERE name = 'orders.order_confirmation'"
    )
    twice = replace(evidence, mails=[*evidence.mails, evidence.mails[0]], sends_hit=1)

    found = every_mail_is_sent_once(twice)

    assert found.kept
    assert found.counted == "6 mails; 1 twice, 1 sends hit by faults"


def test_a_mail_that_never_came_is_found(evidence: Evidence) -> None:
    fewer = replace(evidence, mails=evidence.mails[1:])

    assert broken(fewer) == {every_mail_is_sent_once}


def test_a_mail_of_nobody_is_found(evidence: Evidence) -> None:
    more = replace(evidence, mails=[*evidence.mails, Mail("<stray>", "Hello", 0)])

    assert told(every_mail_is_sent_once, more) == "a mail 'Hello' is of nobody"


def test_an_attempt_that_left_no_trace_is_found(evidence: Evidence) -> None:
    ask("UPDATE queues_job SET attempt = 2 WHERE name = 'orders.process_order'")

    assert broken(evidence) == {attempts_and_crashes_are_consistent}


def test_a_verdict_that_was_written_twice_is_found(evidence: Evidence) -> None:
    ask(
        "INSERT INTO queues_attempt (job_id, number, outcome, worker, finished_at, error, traceback)"
        " SELECT id, 1, 'completed', 'w (h:1)', now(), '', '' FROM queues_job WHERE name = 'orders.process_order'"
    )

    assert "was completed 2 times" in told(attempts_and_crashes_are_consistent, evidence)


def test_a_worker_that_was_taken_for_dead_by_mistake_is_found(evidence: Evidence) -> None:
    ask(
        "UPDATE queues_attempt SET outcome = 'crashed', worker = 'w (host:4711)', error = 'worker w (host:4711) died'"
        " WHERE job_id = (SELECT id FROM queues_job WHERE name = 'orders.process_order')"
    )

    assert told(nobody_is_rescued_by_mistake, evidence) == "worker w (host:4711) was taken for dead"
    assert nobody_is_rescued_by_mistake(replace(evidence, hit=frozenset({4711}))).kept
