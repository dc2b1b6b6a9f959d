"""The shop's promises about money, by the gateways' books. Each function is one promise, kept if it finds nothing."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .desk import REASON, GivenBack
from .evidence import Evidence, Finding, finding
from .look import Row
from .papers import gaps, without_pdf

PAID_FOR = ("paid", "processing", "shipped", "delivered")
PAYMENTS = """
SELECT p.id, p.order_id, p.state, p.captured_paise, p.idempotency_key, p.gateway_reference
FROM payments_payment p ORDER BY p.id
"""
ORDERS = """
SELECT o.id, o.state, o.total_paise, (SELECT coalesce(sum(r.amount_paise), 0)::bigint FROM orders_returnrequest r
    WHERE r.order_id = o.id AND r.state IN ('received', 'refunded')) AS returned_paise
FROM orders_order o ORDER BY o.id
"""


@dataclass
class Books:
    """The gateways' books laid beside ours: each charge that took money, its payment here, and what it still keeps."""

    payments: list[Row]
    taken: list[dict[str, Any]]
    refunds: list[dict[str, Any]]

    @staticmethod
    def of(evidence: Evidence) -> "Books":
        charges = [entry for entry in evidence.book if entry["effect"] == "charge" and entry["status"] == "captured"]
        return Books(evidence.ask(PAYMENTS), charges, [x for x in evidence.book if x["effect"] == "refund"])

    def payment_of(self, charge: dict[str, Any]) -> Row | None:
        """By the gateway's name for the charge, or by ours."""
        by_name = [row for row in self.payments if row["gateway_reference"] == charge["reference"]]
        by_key = [row for row in self.payments if row["idempotency_key"] == charge["key"]]
        return next(iter(by_name or by_key), None)

    def kept_of(self, charge: dict[str, Any]) -> int:
        back = sum(refund["amount_paise"] for refund in self.refunds if refund["charge"] == charge["reference"])
        return int(charge["amount_paise"] - back)

    def kept_of_orders(self) -> dict[int, int]:
        kept: dict[int, int] = defaultdict(int)
        for charge in self.taken:
            row = self.payment_of(charge)
            if row:
                kept[row["order_id"]] += self.kept_of(charge)
        return kept


def none_is_charged_twice(evidence: Evidence) -> Finding:
    """At most one charge keeps an order's money, whatever was given back of others, and every charge is known here."""
    books = Books.of(evidence)
    owners = [(charge, books.payment_of(charge)) for charge in books.taken]
    charged = Counter(row["order_id"] for charge, row in owners if row and books.kept_of(charge))

    def broken() -> Iterator[str]:
        yield from (f"order {order_id} was charged {n} times" for order_id, n in charged.items() if n > 1)
        for charge, known in owners:
            if known is None:
                yield f"the gateway took {charge['amount_paise']} paise under {charge['key']}, unknown here"
            elif known["captured_paise"] != charge["amount_paise"]:
                yield f"payment {known['id']} is {known['state']}, the gateway took {charge['amount_paise']} paise"
        for name, times in Counter(charge["reference"] for charge in books.taken).items():
            if times > 1:
                yield f"the books have {name} {times} times"
        booked = {charge["reference"] for charge in books.taken}
        for row in books.payments:
            if row["state"] == "captured" and row["gateway_reference"] not in booked:
                yield f"payment {row['id']} is captured, the gateway's book has no charge"

    orders = len({row["order_id"] for _, row in owners if row})
    return finding("none is charged twice", f"{len(books.taken)} charges of {orders} orders", broken())


def none_is_charged_and_cancelled_without_refund(evidence: Evidence) -> Finding:
    """What the gateways keep of an order is its total, less what staff and returns gave back; of a cancelled one 0."""
    orders, books = evidence.ask(ORDERS), Books.of(evidence)
    kept, states = books.kept_of_orders(), {row["id"]: row["state"] for row in orders}

    def broken() -> Iterator[str]:
        for order in orders:
            wanted = _owed(order, evidence.given_back.get(order["id"]))
            if kept.get(order["id"], 0) not in wanted:
                yield f"order {order['id']} is {order['state']}: {kept.get(order['id'], 0)} paise are kept, " + (
                    f"{' or '.join(map(str, wanted))} owed"
                )
        for row in books.payments:
            if row["state"] not in ("captured", "declined", "cancelled"):
                yield f"payment {row['id']} of order {row['order_id']} is still {row['state']}"

    of = [row["order_id"] for charge in books.taken for refund in books.refunds
          if refund["charge"] == charge["reference"] and (row := books.payment_of(charge))]  # fmt: skip
    ended = sum(states.get(order_id) == "cancelled" for order_id in of)
    cancelled = sum(state == "cancelled" for state in states.values())
    told = f"{cancelled} cancelled; {len(books.refunds)} refunds, {ended} of them of cancelled orders"
    return finding("none is charged and cancelled without refund", told, broken())


def _owed(order: Row, given: GivenBack | None) -> list[int]:
    """What the shop should have; two answers while nobody knows whether staff's refund was asked for."""
    if order["state"] not in PAID_FOR:
        return [0]
    whole = order["total_paise"] - order["returned_paise"]
    back = [given.amount_paise] if given else [0]
    return [whole - paise for paise in ([0, *back] if given and not given.sure else back)]


REFUNDS = """
SELECT r.id, r.state, r.amount_paise, r.reason, q.id AS return, n.number, n.pdf, n.amount_paise AS credited
FROM payments_refund r LEFT JOIN orders_returnrequest q ON q.refund_number = r.id
FULL JOIN orders_creditnote n ON n.refund_number = r.id ORDER BY r.id
"""


def every_refund_of_an_invoice_has_its_credit_note(evidence: Evidence) -> Finding:
    """Gap-free and with a PDF; money that came late or twice was never invoiced and has none."""
    rows = evidence.ask(REFUNDS)
    notes = [row for row in rows if row["number"]]

    def broken() -> Iterator[str]:
        yield from gaps(evidence, "BMC", [row["number"] for row in notes])
        for row in rows:
            owed = row["return"] is not None or (row["reason"] or "").startswith(REASON)
            if row["state"] != "succeeded":
                yield f"refund {row['id']} is {row['state']}"
            elif owed != bool(row["number"]):
                yield f"refund {row['id']} ({row['reason']}) has {row['number'] or 'no credit note'}"
            elif owed and row["credited"] != row["amount_paise"]:
                yield f"refund {row['id']} of {row['amount_paise']} paise, {row['number']} of {row['credited']}"
        yield from (told for row in notes if (told := without_pdf(evidence, row)))

    returns = sum(row["return"] is not None for row in rows)
    told = f"{len(rows)} refunds, {returns} of them of returned goods; {len(notes)} credit notes"
    return finding("refunds made, credit notes gap-free", told, broken())


COMPARED = """
SELECT coalesce(sum(asked), 0) AS asked, coalesce(sum(settled), 0) AS settled, coalesce(sum(differing), 0) AS differing
FROM payments_reconciliation
"""


def books_agree_when_compared(evidence: Evidence) -> Finding:
    """Reconciliation may have found money of which nobody had told, and no difference that a person must look at."""
    compared = evidence.ask(COMPARED)[0]
    rows = evidence.ask("SELECT findings FROM payments_reconciliation WHERE differing > 0 ORDER BY id")
    told = f"{compared['asked']} payments compared, {compared['settled']} found paid by that"
    return finding("the gateways' books agree with ours", told, (str(row["findings"]) for row in rows))


MONEY_PROMISES = (
    none_is_charged_twice,
    none_is_charged_and_cancelled_without_refund,
    every_refund_of_an_invoice_has_its_credit_note,
    books_agree_when_compared,
)
