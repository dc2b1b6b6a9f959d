"""The lock order of the whole shop, and the locks of this app.

A transaction takes its locks in this order, each at most once, and may leave any of them out:

1. idempotency key      the row (user, key) of `POST /api/orders`, by inserting it
2. order                `lock_order`, or a conditional UPDATE of Order.state
3. review, return       a row each, by a conditional UPDATE of its state (`services/review.py`, `returns.py`)
4. payment              rows of one order, by pk (app payments)
5. stock                rows by product, all in one statement (`services/stock.py`)
6. document series      the row of the kind and financial year, by counting it up (`services/numbering.py`)
7. rows only inserted   lines, log, jobs, outbox, payment events: nobody waits for them, so they may come anywhere

No network call, file or sleep happens while one is held. Stock rows are the hottest of the shop: what takes them
does it last in its transaction.
"""

from .models import Order


def lock_order(order_id: int) -> Order:
    """Lock the order until the transaction ends; waits for others. Raises Order.DoesNotExist.

    FOR NO KEY UPDATE: rows that only point at the order can still be inserted meanwhile.
    """
    return Order.objects.select_for_update(no_key=True).get(pk=order_id)
