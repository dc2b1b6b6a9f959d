"""The engine's promises: ends, mails, attempts, leases. Each function is one promise, kept if it finds nothing."""

import re
from collections import Counter
from collections.abc import Iterator

from .evidence import Evidence, Finding, finding
from .promises_of_jobs import a_job_exists_iff_its_transaction_committed

UNFINISHED = """
SELECT j.id, j.name, j.subject, j.state, j.run_at, o.job_id AS row, o.withdrawn, o.due_at > now() AS later
FROM queues_job j FULL JOIN queues_outbox o ON o.job_id = j.id
WHERE j.state IN ('waiting', 'active') OR o.job_id IS NOT NULL ORDER BY j.id
"""


def every_job_is_final_or_rightly_waiting(evidence: Evidence) -> Finding:
    """Rightly waiting: not due yet, and with a row in the outbox. None of the scenarios may fail a job."""
    unfinished = evidence.ask(UNFINISHED)
    failed = evidence.ask("SELECT id, name, subject, error FROM queues_job WHERE state = 'failed' ORDER BY id")
    states = evidence.ask("SELECT state, count(*) AS jobs FROM queues_job GROUP BY state ORDER BY state")

    def broken() -> Iterator[str]:
        for row in unfinished:
            if row["state"] != "waiting" or row["row"] is None or row["withdrawn"] or not row["later"]:
                where = "in the outbox" if row["row"] else "not in the outbox"
                yield f"{row['name']} #{row['id'] or row['row']} of {row['subject']} is {row['state']}, {where}"
        for row in failed:
            yield f"{row['name']} #{row['id']} of {row['subject']} failed: {row['error'][:120]}"

    counts = ", ".join(f"{row['jobs']} {row['state']}" for row in states)
    return finding("every job final or rightly waiting", counts, broken())


NOT_OF_ORDERS = ("welcome", "daily_report", "low_stock", "stock_shortfall", "review_opened", "review_due")
WITH_PDF = ("payment_receipt", "credit_note")
NOTICES = """
SELECT n.id, n.key, n.kind, n.state, n.message_id, n.attempts FROM notifications_notification n ORDER BY n.id
"""
OWED = """
SELECT 'order-confirmation-' || id AS key FROM orders_order
UNION ALL SELECT 'payment-receipt-' || id FROM orders_invoice
UNION ALL SELECT 'payment-failed-' || id FROM orders_orderlog WHERE event = 'payment_failed'
UNION ALL SELECT 'order-cancelled-' || order_id FROM orders_orderlog WHERE event = 'cancelled'
UNION ALL SELECT 'refund-issued-' || id FROM payments_refund WHERE state = 'succeeded'
UNION ALL SELECT 'shipping-notification-' || order_id FROM orders_shipment
UNION ALL SELECT 'return-answered-' || id FROM orders_returnrequest WHERE state <> 'requested'
UNION ALL SELECT 'credit-note-' || id FROM orders_creditnote
"""
INTERRUPTED = """
SELECT CASE
           WHEN j.name = 'orders.payment_receipt' THEN 'payment-receipt-' || (j.args ->> 'invoice_id')
           WHEN j.name = 'orders.order_confirmation' THEN 'order-confirmation-' || (j.args ->> 'order_id')
           WHEN j.name = 'orders.order_cancelled' THEN 'order-cancelled-' || (j.args ->> 'order_id')
           WHEN j.name = 'payments.refund_issued' THEN 'refund-issued-' || (j.args ->> 'refund_id')
           WHEN j.name = 'orders.shipping_notification' THEN 'shipping-notification-' || (j.args ->> 'order_id')
           WHEN j.name = 'orders.return_answered' THEN 'return-answered-' || (j.args ->> 'return_id')
           WHEN j.name = 'orders.credit_note' THEN 'credit-note-' || (j.args ->> 'credit_note_id')
           WHEN j.name = 'accounts.welcome' THEN 'welcome-' || (j.args ->> 'user_id')
           WHEN j.name = 'notifications.deliver' THEN (SELECT n.key FROM notifications_notification n
               WHERE n.id = (j.args ->> 'notification_id')::bigint)
           ELSE 'payment-failed-' || (SELECT max(l.id) FROM orders_orderlog l
               WHERE l.event = 'payment_failed' AND l.order_id = (j.args ->> 'order_id')::bigint)
       END AS key, count(*) AS times
FROM queues_job j JOIN queues_attempt a ON a.job_id = j.id
WHERE j.queue = 'email' AND (a.outcome IN ('crashed', 'given back', 'timed out')
    OR (a.outcome IN ('retry', 'snoozed') AND a.error ~ '^(OperationalError|InterfaceError|DatabaseError)'))
GROUP BY 1
"""


def every_mail_is_sent_once(evidence: Evidence) -> Finding:
    """But for the documented exception: a send that was interrupted (by a death, a pause or PostgreSQL's restart)."""
    notices = {row["key"]: row for row in evidence.ask(NOTICES)}
    owed = {row["key"] for row in evidence.ask(OWED)}
    interrupted = {row["key"]: row["times"] for row in evidence.ask(INTERRUPTED)}
    copies = Counter(mail.message_id for mail in evidence.mails)
    again = {key: copies[row["message_id"]] - 1 for key, row in notices.items() if copies[row["message_id"]] > 1}

    def broken() -> Iterator[str]:
        for key, row in notices.items():
            if row["state"] != "sent" or not copies[row["message_id"]]:
                yield f"{key} is {row['state']}, {copies[row['message_id']]} mails in the folder"
        if sum(again.values()) > evidence.sends_hit:
            yield f"{sum(again.values())} mails came twice, {evidence.sends_hit} sends were hit by faults"
        for key, more in again.items():
            if more > interrupted.get(key, 0):
                yield f"{key} came {more + 1} times, its sending was interrupted {interrupted.get(key, 0)} times"
        welcomes = sum(row["kind"] == "welcome" for row in notices.values())
        if welcomes != evidence.buyers:
            yield f"{welcomes} welcomes for {evidence.buyers} buyers"
        kinds = {key for key, row in notices.items() if row["kind"] not in NOT_OF_ORDERS}
        yield from (f"{key} is {'missing' if key in owed else 'not owed'}" for key in sorted(owed ^ kinds))
        known = {row["message_id"] for row in notices.values()}
        yield from (f"a mail {mail.subject!r} is of nobody" for mail in evidence.mails if mail.message_id not in known)
        receipts = {row["message_id"] for row in notices.values() if row["kind"] in WITH_PDF}
        for mail in evidence.mails:
            if mail.message_id in receipts and mail.pdfs != 1:
                yield f"{mail.subject!r} has {mail.pdfs} PDFs"

    told = f"{len(evidence.mails)} mails; {sum(again.values())} twice, {evidence.sends_hit} sends hit by faults"
    return finding("every mail once (documented exception counted)", told, broken())


ATTEMPTS = """
SELECT j.id, j.name, j.state, j.attempt, j.max_attempts, j.crashes, j.lone_crashes, j."offer", j.error,
       count(a.id) AS runs,
       count(a.id) FILTER (WHERE a.outcome IN ('completed', 'retry', 'timed out', 'failed', 'cancelled')) AS spent,
       count(a.id) FILTER (WHERE a.outcome = 'completed') AS completed,
       count(a.id) FILTER (WHERE a.outcome = 'crashed') AS crashed
FROM queues_job j LEFT JOIN queues_attempt a ON a.job_id = j.id GROUP BY j.id ORDER BY j.id
"""


def attempts_and_crashes_are_consistent(evidence: Evidence) -> Finding:
    """Every run left one row; an attempt was spent by verdicts alone; no job was failed by crashes."""
    rows = evidence.ask(ATTEMPTS)

    def broken() -> Iterator[str]:
        for row in rows:
            job = f"{row['name']} #{row['id']}"
            if row["attempt"] != row["spent"] or row["attempt"] > row["max_attempts"]:
                yield f"{job}: attempt {row['attempt']} of {row['max_attempts']}, {row['spent']} in its history"
            if row["completed"] != (row["state"] == "completed"):
                yield f"{job} is {row['state']} and was completed {row['completed']} times"
            if row["crashes"] > row["crashed"] or row["lone_crashes"] > row["crashes"]:
                yield f"{job}: {row['crashes']} crashes ({row['lone_crashes']} alone), {row['crashed']} in its history"
            if row["runs"] > row["offer"]:
                yield f"{job}: {row['runs']} runs under {row['offer']} offers"
            if row["state"] == "failed" and row["crashed"]:
                yield f"{job} was failed after {row['crashed']} crashes: {row['error'][:80]}"

    runs, crashed = sum(row["runs"] for row in rows), sum(row["crashed"] for row in rows)
    return finding("attempts and crash counts consistent", f"{runs} runs, {crashed} rescued", broken())


RESCUED = """
SELECT DISTINCT a.worker, a.error FROM queues_attempt a WHERE a.outcome = 'crashed' AND a.error LIKE 'worker %'
"""


def nobody_is_rescued_by_mistake(evidence: Evidence) -> Finding:
    """Only jobs of workers that were hit have been freed."""
    rows = evidence.ask(RESCUED)
    pids = {row["worker"]: int(found[1]) if (found := re.search(r":(\d+)\)$", row["worker"])) else 0 for row in rows}
    broken = [f"worker {worker} was taken for dead" for worker, pid in pids.items() if pid not in evidence.hit]
    return finding("nobody is rescued by mistake", f"{len(pids)} workers taken for dead, all hit", broken)


ENGINE = (
    every_job_is_final_or_rightly_waiting,
    a_job_exists_iff_its_transaction_committed,
    every_mail_is_sent_once,
    attempts_and_crashes_are_consistent,
    nobody_is_rescued_by_mistake,
)
