"""The shop's promises: orders, money, goods, invoices. Each function is one promise, kept if it finds nothing."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from .evidence import Evidence, Finding, finding
from .look import Row

ENDS = {True: ("processing", "cancelled"), False: ("cancelled",)}
"""How an order may end, by whether it can be paid: one whose money came too late is cancelled."""


def no_accepted_order_is_lost(evidence: Evidence) -> Finding:
    """Each is there once and has come to its end, and there is none beside them."""
    orders = {row["id"]: row["state"] for row in evidence.ask("SELECT id, state FROM orders_order ORDER BY id")}

    def broken() -> Iterator[str]:
        for accepted in evidence.accepted:
            state = orders.get(accepted.order_id, "not there")
            if state not in ENDS[accepted.scenario.can_be_paid]:
                yield f"order {accepted.order_id} ({accepted.scenario.name}) is {state}"
        times = Counter(accepted.order_id for accepted in evidence.accepted)
        yield from (f"order {order_id} answers {n} requests" for order_id, n in times.items() if n > 1)
        yield from (f"nobody asked for order {order_id}" for order_id in orders if order_id not in times)

    return finding("no accepted order is lost", f"{len(evidence.accepted)} accepted, {len(orders)} there", broken())


MONEY = """
SELECT p.id, p.order_id, p.state, p.captured_paise, p.refunded_paise, p.idempotency_key, o.state AS order_state,
       o.total_paise
FROM payments_payment p JOIN orders_order o ON o.id = p.order_id ORDER BY p.id
"""


def none_is_charged_twice(evidence: Evidence) -> Finding:
    """By the gateway's book: at most one charge took an order's money, and every charge is known here."""
    payments = {row["idempotency_key"]: row for row in evidence.ask(MONEY)}
    taken = [entry for entry in evidence.book if entry["effect"] == "charge" and entry["status"] == "captured"]
    per_order = Counter(payments[entry["key"]]["order_id"] for entry in taken if entry["key"] in payments)

    def broken() -> Iterator[str]:
        yield from (f"order {order_id} was charged {n} times" for order_id, n in per_order.items() if n > 1)
        for entry in taken:
            known = payments.get(entry["key"])
            if known is None:
                yield f"the gateway took {entry['amount_paise']} paise under {entry['key']}, unknown here"
            elif known["captured_paise"] != entry["amount_paise"]:
                yield f"payment {known['id']} is {known['state']}, the gateway took {entry['amount_paise']} paise"
        booked = {entry["key"] for entry in taken}
        for key, row in payments.items():
            if row["state"] == "captured" and key not in booked:
                yield f"payment {row['id']} is captured, the gateway's book has no charge"

    return finding("none is charged twice", f"{len(taken)} charges of {len(per_order)} orders", broken())


def none_is_charged_and_cancelled_without_refund(evidence: Evidence) -> Finding:
    """What the gateway keeps of an order's money is its total if it is delivered, else nothing."""
    orders = {row["id"]: row for row in evidence.ask("SELECT id, state, total_paise FROM orders_order")}
    payments = {row["idempotency_key"]: row for row in evidence.ask(MONEY)}
    charges = {entry["reference"]: entry for entry in evidence.book if entry["effect"] == "charge"}
    kept: dict[int, int] = defaultdict(int)
    for entry in evidence.book:
        charge = charges.get(entry["charge"], {}) if entry["effect"] == "refund" else entry
        row = payments.get(charge.get("key", ""))
        if row and charge.get("status") == "captured":
            kept[row["order_id"]] += entry["amount_paise"] * (-1 if entry["effect"] == "refund" else 1)

    def broken() -> Iterator[str]:
        for order_id, order in orders.items():
            wanted = order["total_paise"] if order["state"] in ("paid", "processing") else 0
            if kept[order_id] != wanted:
                yield f"order {order_id} is {order['state']}: {kept[order_id]} paise are kept, {wanted} owed"
        for row in payments.values():
            if row["state"] not in ("captured", "declined", "cancelled"):
                yield f"payment {row['id']} of order {row['order_id']} is still {row['state']}"

    refunds = sum(entry["effect"] == "refund" for entry in evidence.book)
    cancelled = sum(order["state"] == "cancelled" for order in orders.values())
    return finding(
        "none is charged and cancelled without refund", f"{cancelled} cancelled, {refunds} refunds", broken()
    )


STOCK = """
SELECT s.product_id, s.on_hand, s.reserved,
       coalesce(sum(r.quantity) FILTER (WHERE r.state = 'committed'), 0) AS sold,
       coalesce(sum(r.quantity) FILTER (WHERE r.state = 'held'), 0) AS held
FROM orders_stock s LEFT JOIN orders_reservation r USING (product_id) GROUP BY s.product_id ORDER BY s.product_id
"""


def stock_is_initial_minus_sold_minus_reserved(evidence: Evidence) -> Finding:
    rows = evidence.ask(STOCK)

    def broken() -> Iterator[str]:
        for row in rows:
            product, initial = row["product_id"], evidence.initial_stock.get(row["product_id"], 0)
            if row["on_hand"] != initial - row["sold"]:
                yield f"product {product}: {initial} - {row['sold']} sold, but {row['on_hand']} on hand"
            if row["reserved"] != row["held"]:
                yield f"product {product}: {row['reserved']} reserved, but orders hold {row['held']}"
            if row["on_hand"] - row["reserved"] < 0:
                yield f"product {product}: {row['on_hand'] - row['reserved']} are free"

    sold = sum(row["sold"] for row in rows)
    out = sum(row["on_hand"] == row["reserved"] for row in rows)
    told = f"{len(rows)} products, {sold} pieces sold, {out} sold out"
    return finding("stock = initial - sold - reserved, never negative", told, broken())


RESERVED = """
SELECT o.id, o.state, l.quantity, r.state AS reservation, r.quantity AS pieces
FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id
LEFT JOIN orders_reservation r ON r.order_id = o.id AND r.product_id = l.product_id ORDER BY o.id
"""
FITTING = {"paid": "held", "processing": "committed", "pending": "held", "cancelled": "released"}


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
    series = evidence.ask("SELECT year, last_number FROM orders_documentseries WHERE prefix = 'BM'")

    def broken() -> Iterator[str]:
        for year in series:
            numbers = [row["number"] for row in issued if f"/{year['year'][2:]}/" in row["number"]]
            expected = [f"BM/{year['year'][2:]}/{n:06d}" for n in range(1, year["last_number"] + 1)]
            for number in sorted(set(expected) ^ set(numbers)):
                yield f"{number} is {'missing' if number in expected else 'beyond the series'}"
        for row in rows:
            if bool(row["number"]) != (row["state"] in ("paid", "processing")):
                yield f"order {row['id']} is {row['state']} and has {row['number'] or 'no invoice'}"
        yield from (told for row in issued if (told := _pdf(evidence, row)))

    return finding("invoice numbers gap-free, one per paid order", f"{len(issued)} invoices", broken())


def _pdf(evidence: Evidence, invoice: Row) -> str:
    path = evidence.media / (invoice["pdf"] or "none")
    good = path.is_file() and path.read_bytes().startswith(b"%PDF-")
    return "" if good else f"{invoice['number']} has no PDF"


SHOP = (
    no_accepted_order_is_lost,
    none_is_charged_twice,
    none_is_charged_and_cancelled_without_refund,
    stock_is_initial_minus_sold_minus_reserved,
    no_reservation_of_a_finished_order,
    invoices_are_gap_free_one_per_paid_order,
)
