"""The promise that an order's events, and they alone, have made its jobs."""

from collections import Counter
from collections.abc import Iterator

from .evidence import Evidence, Finding, finding
from .look import Row
from .plan import Scenario

JOBS = """
SELECT o.id, o.state, array_agg(j.name ORDER BY j.name) AS names,
       (SELECT count(*) FROM orders_orderlog l WHERE l.order_id = o.id AND l.event = 'payment_failed') AS failures,
       (SELECT count(*) FROM payments_payment p WHERE p.order_id = o.id
            AND p.idempotency_key NOT LIKE 'beside-%%') AS payments,
       (SELECT count(*) FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
            WHERE p.order_id = o.id) AS refunds,
       (SELECT count(*) FROM orders_creditnote n JOIN orders_invoice i ON i.id = n.invoice_id
            WHERE i.order_id = o.id) AS notes,
       (SELECT array_agg(q.state) FROM orders_returnrequest q WHERE q.order_id = o.id) AS returns,
       EXISTS (SELECT FROM orders_orderlog l WHERE l.order_id = o.id AND l.event = 'cancelled') AS was_cancelled
FROM orders_order o LEFT JOIN queues_job j ON j.subject = 'order-' || o.id GROUP BY o.id ORDER BY o.id
"""
ALWAYS = (
    "orders.order_confirmation",
    "orders.check_for_suspicion",
    "payments.auto_cancel",
    "webhooks.order_placed",
)
TOLD = ("orders.sync_with_erp", "orders.analytics")
WHEN_PAID = (
    "orders.process_order",
    "orders.generate_invoice",
    "orders.payment_receipt",
    "webhooks.order_paid",
    *TOLD,
)
WHEN_CANCELLED = ("orders.order_cancelled", "orders.release_stock_on_cancellation", "webhooks.order_cancelled", *TOLD)
BY_FAILURE = (
    "orders.payment_failed",
    "orders.check_for_suspicion",
    "orders.release_stock_on_failure",
    "webhooks.payment_failed",
)


WHEN_SHIPPED = ("orders.shipping_notification", "webhooks.order_shipped", "orders.sync_with_erp")
WHEN_DELIVERED = ("webhooks.order_delivered", "orders.sync_with_erp")
BY_REFUND = (
    "payments.refund_payment",
    "orders.close_return",
    "orders.count_refund",
    "payments.issue_credit_note",
    "payments.refund_issued",
    "webhooks.order_refunded",
)
BY_RETURN = {
    "requested": ("orders.open_return",),
    "approved": ("orders.open_return", "orders.return_answered", "payments.carry_out_review"),
}
BY_RETURN["received"] = BY_RETURN["refunded"] = (*BY_RETURN["approved"], "payments.refund_return")


def _expected(row: Row) -> Counter[str]:
    """The jobs that an order's life so far has called for, but those of its payments."""
    is_delivered, is_shipped = row["state"] == "delivered", row["state"] in ("shipped", "delivered")
    expected = Counter([*ALWAYS, *(WHEN_PAID if is_shipped or row["state"] == "processing" else ())])
    expected += Counter([*(WHEN_SHIPPED if is_shipped else ()), *(WHEN_DELIVERED if is_delivered else ())])
    expected += Counter(WHEN_CANCELLED if row["was_cancelled"] else ())
    expected += Counter(dict.fromkeys(BY_FAILURE, row["failures"]))
    expected += Counter(dict.fromkeys(BY_REFUND, row["refunds"]))
    for state in row["returns"] or ():
        expected += Counter(BY_RETURN[state])
    return expected + Counter({"orders.credit_note": row["notes"]})


def a_job_exists_iff_its_transaction_committed(evidence: Evidence) -> Finding:
    """Every event of an order has its jobs, once each; one that is paid too late was cancelled before."""
    rows = evidence.ask(JOBS)
    scenarios = {accepted.order_id: accepted.scenario for accepted in evidence.accepted}

    def broken() -> Iterator[str]:
        for row in rows:
            expected = _expected(row)
            found = Counter(name for name in row["names"] if name in expected or name not in SOMETIMES)
            expected["payments.process_payment"] = _charges(scenarios.get(row["id"]), row, found)
            for name in sorted(set(expected) | set(found)):
                if expected[name] != found[name]:
                    yield f"order {row['id']} ({row['state']}): {found[name]} {name} instead of {expected[name]}"

    jobs = sum(len(row["names"]) for row in rows)
    return finding("a job exists iff its transaction committed", f"{jobs} jobs of {len(rows)} orders", broken())


def _charges(scenario: Scenario | None, row: Row, found: Counter[str]) -> int:
    """One with the order; one more for each payment but that of its token. A payment that waits may never get one."""
    came_with_token = scenario is None or (scenario.token and not scenario.gateway)
    most = 1 + row["payments"] - bool(came_with_token and row["payments"])
    least = most - (scenario is not None and scenario.then == "switch" and row["payments"] > 1)
    return min(max(found["payments.process_payment"], least), most)


SOMETIMES = (
    "orders.open_suspicion",
    "payments.check_payment",
    "payments.open_review",
    "payments.verify_payment",
    "payments.void_payment",
)
