"""The guards around reviews, returns and credit notes."""

from .mutation import Mutation

REVIEW_MUTATIONS = [
    Mutation(
        name="review is decided while it is open",
        file="orders/services/review.py",
        guard="filter(condition, pk=review_id, state=ReviewState.OPEN)",
        without="filter(condition, pk=review_id)",
        test="tests/orders/test_review.py::test_an_expiry_on_the_line_of_a_decision_wins_and_the_decision_is_refused",
        red="DID NOT RAISE",
    ),
    Mutation(
        name="money is let go when no other review speaks against it",
        file="payments/services/reviewing.py",
        guard="if concerned.exclude(state=ReviewState.APPROVED).exists():",
        without="if False:",
        test="tests/payments/test_reviewing.py::test_money_is_captured_when_the_last_of_two_reviews_is_approved",
        red="AssertionError",
    ),
    Mutation(
        name="no more is returned than was bought",
        file="orders/services/returns.py",
        guard='filter(pk=line.pk, quantity__gte=F("returned") + quantity)',
        without="filter(pk=line.pk)",
        test="tests/orders/test_returns.py::test_no_more_is_returned_than_was_bought",
        red="line_returned_within_bought",
    ),
    Mutation(
        name="return is refunded once",
        file="payments/services/returning.py",
        guard="if wanted.refund_number is not None:",
        without="if False:",
        test="tests/payments/test_returning.py::test_a_repeated_job_gives_the_money_back_once",
        red="MultipleObjectsReturned",
    ),
    Mutation(
        name="goods of a return are received once",
        file="orders/services/returns.py",
        guard="filter(pk=wanted.pk, state=before)",
        without="filter(pk=wanted.pk)",
        test="tests/orders/test_returns.py::test_goods_received_twice_are_put_back_once",
        red="AssertionError",
    ),
    Mutation(
        name="credit notes stay within the invoice",
        file="orders/services/crediting.py",
        guard="if invoice is None or amount_paise > order.total_paise - sum(credited.values()):",
        without="if invoice is None:",
        test="tests/orders/test_credit_notes.py::test_refunds_in_parts_add_up_to_the_invoice_to_the_paisa",
        red="cannot divide",
    ),
    Mutation(
        name="refund has one credit note",
        file="orders/services/crediting.py",
        guard="    if existing:\n",
        without="    if False:\n",
        test="tests/orders/test_credit_notes.py::test_a_second_run_issues_nothing_new",
        red="IntegrityError",
    ),
    Mutation(
        name="money that never paid the order is not credited",
        file="payments/services/returning.py",
        guard="if not _was_never_the_orders(made):",
        without="if True:",
        test="tests/payments/test_returning.py::test_money_that_never_paid_the_order_is_not_credited",
        red="AssertionError",
    ),
]
