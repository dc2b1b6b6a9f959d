"""The guards that money and jobs rest on, each with the test that turns red without it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """`guard` in `file` becomes `without`; then `test` fails, and its failure shows `red`."""

    name: str
    file: str
    guard: str
    without: str
    test: str
    red: str


MUTATIONS = [
    Mutation(
        name="claim asks for the offer's number",
        file="queues/ledger/claims.py",
        guard='JOIN offered USING (job_id, "offer")',
        without="JOIN offered USING (job_id)",
        test="tests/queues/test_claim.py::test_old_number_of_an_offer_claims_nothing",
        red="AssertionError",
    ),
    Mutation(
        name="claim asks for a row that is offered",
        file="queues/ledger/claims.py",
        guard="o.offered_at IS NOT NULL AND ",
        without="",
        test="tests/queues/test_claim.py::test_old_offer_claims_nothing_while_its_job_waits_to_be_offered_again",
        red="AssertionError",
    ),
    Mutation(
        name="claim asks for a waiting job",
        file="queues/ledger/claims.py",
        guard=" AND j.state = 'waiting'",
        without="",
        test="tests/queues/test_claim.py::test_stray_row_of_a_finished_job_claims_nothing",
        red="AssertionError",
    ),
    Mutation(
        name="claim passes over withdrawn jobs",
        file="queues/ledger/claims.py",
        guard=" AND NOT o.withdrawn",
        without="",
        test="tests/queues/test_claim.py::test_withdrawn_offer_is_not_claimed",
        red="Outbox.DoesNotExist",
    ),
    Mutation(
        name="verdict asks for the token",
        file="queues/ledger/verdicts.py",
        guard=" AND token = %(token)s",
        without="",
        test="tests/queues/test_verdicts.py::test_verdict_with_an_old_token_changes_nothing[verdict0]",
        red="AssertionError",
    ),
    Mutation(
        name="burial asks for the beat that was seen",
        file="queues/lease.py",
        guard=", stopped_at=None, beat_at=worker.beat_at)",
        without=", stopped_at=None)",
        test="tests/queues/test_leases.py::test_beat_in_the_last_moment_saves_a_worker",
        red="AssertionError",
    ),
    Mutation(
        name="rescue wants the same beat in two sweeps",
        file="queues/lease.py",
        guard="self.seen.get(worker.pk) == worker.beat_at",
        without="worker.pk in self.seen",
        test="tests/queues/test_leases.py::test_beat_between_two_sweeps_frees_nobody",
        red="AssertionError",
    ),
    Mutation(
        name="limits lock the queue's row",
        file="queues/limits.py",
        guard="WHERE name = %s FOR UPDATE",
        without="WHERE name = %s",
        test="tests/queues/test_limits.py::test_process_that_stands_still_loses_the_lock",
        red="DID NOT RAISE",
    ),
    Mutation(
        name="higher priority goes to the head",
        file="queues/brokers/rq/messages.py",
        guard="pipeline.lpush if offer.overtakes else pipeline.rpush",
        without="pipeline.rpush",
        test="tests/queues/test_priorities.py"
        "::test_higher_priority_overtakes_what_is_published_and_the_rest_comes_behind",
        red="AssertionError",
    ),
    Mutation(
        name="tick asks for the last tick",
        file="queues/recurring.py",
        guard=", last_tick__lt=at)",
        without=")",
        test="tests/queues/test_recurring.py::test_tick_that_two_processes_find_due_happens_once",
        red="AssertionError",
    ),
    Mutation(
        name="stock is taken only where enough is free",
        file="orders/services/stock.py",
        guard=" AND l.free >= l.quantity",
        without="",
        test="tests/orders/test_placing_at_once.py::test_the_lock_alone_sells_the_last_unit_once",
        red="stock_reserved_within_on_hand",
    ),
    Mutation(
        name="stock is given back once",
        file="orders/services/stock.py",
        guard="WHERE order_id = %s AND state = 'held'",
        without="WHERE order_id = %s",
        test="tests/orders/test_stock.py::test_release_gives_back_once[cancel_order]",
        red="IntegrityError",
    ),
    Mutation(
        name="order request is answered from its key",
        file="orders/services/placement.py",
        guard="    if given:\n",
        without="    if False:\n",
        test="tests/orders/test_idempotency.py::test_a_repeated_request_gets_the_first_answer_to_the_byte",
        red="AssertionError",
    ),
    Mutation(
        name="charge bears the payment's key",
        file="payments/gateways/simulated.py",
        guard='{"Idempotency-Key": key}',
        without='{"Idempotency-Key": __import__("uuid").uuid4().hex}',
        test="tests/payments/test_collect.py::test_unknown_outcome_is_verified_and_charged_once[tok_timeout_after]",
        red="AssertionError",
    ),
    Mutation(
        name="payment moves only from a state that leads there",
        file="payments/models.py",
        guard="filter(pk=payment.pk, state__in=SOURCES[state])",
        without="filter(pk=payment.pk)",
        test="tests/payments/test_settle.py::test_second_capture_is_ignored",
        red="AssertionError",
    ),
    Mutation(
        name="settling locks the order",
        file="orders/locks.py",
        guard="Order.objects.select_for_update(no_key=True).get",
        without="Order.objects.get",
        test="tests/payments/test_races.py::test_cancellation_waits_for_a_settlement_that_has_the_lock",
        red="AssertionError",
    ),
    Mutation(
        name="order moves only from a state that leads there",
        file="orders/services/lifecycle.py",
        guard="filter(pk=order_id, state__in=states_before(state))",
        without="filter(pk=order_id)",
        test="tests/payments/test_settle.py::test_money_for_a_cancelled_order_is_refunded",
        red="Refund.DoesNotExist",
    ),
    Mutation(
        name="refund stays within the capture",
        file="payments/services/refunds.py",
        guard="filter(pk=payment.pk, left__gte=amount_paise)",
        without="filter(pk=payment.pk)",
        test="tests/payments/test_refunds.py::test_refunds_stop_at_the_captured_amount",
        red="payment_refunded_within_captured",
    ),
    Mutation(
        name="mail is sent by whoever claimed it",
        file="notifications/services/mail.py",
        guard="filter(Q(state__in=CLAIMABLE) | stale, pk=notification_id)",
        without="filter(pk=notification_id)",
        test="tests/notifications/test_sending.py::test_same_key_sends_once",
        red="notification_sent_at_when_sent",
    ),
    Mutation(
        name="stock and its ledger change in one statement",
        file="orders/services/stock.py",
        guard="'reserved', %s FROM taken",
        without="'reserved', %s FROM taken WHERE false",
        test="tests/orders/test_stock_ledger.py::test_the_way_of_an_order_is_in_the_ledger",
        red="AssertionError",
    ),
    Mutation(
        name="sale is counted once",
        file="orders/services/analytics.py",
        guard="if _is_new(order.pk, CountedKind.PAID, day):",
        without="if _is_new(order.pk, CountedKind.PAID, day) or True:",
        test="tests/orders/test_analytics.py::test_a_repeated_job_counts_once",
        red="AssertionError",
    ),
    Mutation(
        name="webhook goes to the address that was looked at",
        file="notifications/channels/webhook.py",
        guard="create_connection((address, port), *rest)",
        without="create_connection((host, port), *rest)",
        test="tests/notifications/test_webhook_addresses.py"
        "::test_the_address_that_was_looked_at_is_the_one_that_is_asked",
        red="Error",
    ),
]
