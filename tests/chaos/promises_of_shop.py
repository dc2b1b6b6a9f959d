"""The shop's promises: orders, goods, invoices. Each function is one promise, kept if it finds nothing."""

from collections import Counter
from collections.abc import Iterator

from .evidence import Evidence, Finding, finding, states_of
from .papers import gaps, without_pdf
from .plan import Scenario
from .promises_of_money import MONEY_PROMISES, PAID_FOR


def ends_of(scenario: Scenario) -> tuple[str, ...]:
    """How an order may end: one whose money came too late is cancelled, one that is sent back may still be here."""
    if not scenario.can_be_paid:
        return ("cancelled",)
    sent = ("shipped", "delivered") if scenario.then == "send back" else ()
    return ("processing", "cancelled", *sent)


def no_accepted_order_is_lost(evidence: Evidence) -> Finding:
    """Each is there once and has come to its end, and there is none beside them."""
    orders = states_of(evidence.ask)

    def broken() -> Iterator[str]:
        for accepted in evidence.accepted:
            state = orders.get(accepted.order_id, "not there")
            if state not in ends_of(accepted.scenario):
                yield f"order {accepted.order_id} ({accepted.scenario.name}) is {state}"
        times = Counter(accepted.order_id for accepted in evidence.accepted)
        yield from (f"order {order_id} answers {n} requests" for order_id, n in times.items() if n > 1)
        yield from (f"nobody asked for order {order_id}" for order_id in orders if order_id not in times)

    return finding("no accepted order is lost", f"{len(evidence.accepted)} accepted, {len(orders)} there", broken())


STOCK = """
SELECT s.product_id, s.on_hand, s.reserved,
       coalesce(sum(r.quantity) FILTER (WHERE r.state = 'committed'), 0) AS sold,
       coalesce(sum(r.quantity) FILTER (WHERE r.state = 'held'), 0) AS held,
       (SELECT coalesce(sum(b.quantity - b.damaged), 0) FROM orders_returnline b
            JOIN orders_returnrequest q ON q.id = b.return_request_id JOIN orders_orderline l ON l.id = b.line_id
        WHERE l.product_id = s.product_id AND q.state IN ('received', 'refunded')) AS back
FROM orders_stock s LEFT JOIN orders_reservation r USING (product_id) GROUP BY s.product_id ORDER BY s.product_id
"""


def stock_is_initial_minus_sold_minus_reserved(evidence: Evidence) -> Finding:
    rows = evidence.ask(STOCK)

    def broken() -> Iterator[str]:
        for row in rows:
            product, initial = row["product_id"], evidence.initial_stock.get(row["product_id"], 0)
            if row["on_hand"] != initial - row["sold"] + row["back"]:
                sold = f"{row['sold']} sold" + (f" + {row['back']} returned" if row["back"] else "")
                yield f"product {product}: {initial} - {sold}, but {row['on_hand']} on hand"
            if row["reserved"] != row["held"]:
                yield f"product {product}: {row['reserved']} reserved, but orders hold {row['held']}"
            if row["on_hand"] - row["reserved"] < 0:
                yield f"product {product}: {row['on_hand'] - row['reserved']} are free"

    sold = sum(row["sold"] for row in rows)
    out = sum(row["on_hand"] == row["reserved"] for row in rows)
    told = f"{len(rows)} products, {sold} pieces sold, {sum(row['back'] for row in rows)} returned, {out} sold out"
    return finding("stock = initial - sold - reserved, never negative", told, broken())


RESERVED = """
SELECT o.id, o.state, l.quantity, r.state AS reservation, r.quantity AS pieces
FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id
LEFT JOIN orders_reservation r ON r.order_id = o.id AND r.product_id = l.product_id ORDER BY o.id
"""
FITTING = {
    "paid": "held",
    **dict.fromkeys(("processing", "shipped", "delivered"), "committed"),
    "pending": "held",
    "cancelled": "released",
}


def no_reservation_of_a_finished_order(evidence: Evidence) -> Finding:
    """Goods of a cancelled order are released, those of a paid one committed, line by line."""
    rows = evidence.ask(RESERVED)
    broken = [
        f"order {row['id']} is {row['state']}, its {row['quantity']} pieces are {row['reservation']} ({row['pieces']})"
        for row in rows
        if row["reservation"] != FITTING.get(row["state"]) or row["pieces"] != row["quantity"]
    ]
    return finding("no reservation of a finished order", f"{len(rows)} lines", broken)


INVOICES = """
SELECT o.id, o.state, i.number, i.pdf FROM orders_order o FULL JOIN orders_invoice i ON i.order_id = o.id
ORDER BY i.number
"""


def invoices_are_gap_free_one_per_paid_order(evidence: Evidence) -> Finding:
    rows = evidence.ask(INVOICES)
    issued = [row for row in rows if row["number"]]

    def broken() -> Iterator[str]:
        yield from gaps(evidence, "BM", [row["number"] for row in issued])
        for row in rows:
            if bool(row["number"]) != (row["state"] in PAID_FOR):
                yield f"order {row['id']} is {row['state']} and has {row['number'] or 'no invoice'}"
        yield from (told for row in issued if (told := without_pdf(evidence, row)))

    return finding("invoice numbers gap-free, one per paid order", f"{len(issued)} invoices", broken())


SHOP = (
    no_accepted_order_is_lost,
    *MONEY_PROMISES,
    stock_is_initial_minus_sold_minus_reserved,
    no_reservation_of_a_finished_order,
    invoices_are_gap_free_one_per_paid_order,
)
