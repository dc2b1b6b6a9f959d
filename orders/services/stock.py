"""Stock and reservations: the only writer of both, each change one statement that locks stock rows by pk.

The same statement writes the movement into the ledger (StockMovement), so that the two cannot differ.
What may happen to a reservation is in its statement's WHERE, so that a repetition finds nothing to do.
"""

from collections.abc import Mapping

from django.db import connection, transaction

from .. import locks
from ..errors import OutOfStock, StockNotHeld
from ..models import Order, OrderLine, OrderLog, Reservation, Stock, StockMovement
from ..states import GIVES_STOCK_BACK, MovementReason, OrderEvent, ReservationState

# `locked` has the rows as they are once their locks are held, and the new values are computed from it: from the row
# that UPDATE itself reads, which may be older, they could break the CHECK although there is enough.
RESERVE = """
WITH claimed AS (
    INSERT INTO orders_reservation AS r (order_id, product_id, quantity, state)
    SELECT order_id, product_id, quantity, 'held' FROM orders_orderline WHERE order_id = %s
    ON CONFLICT (order_id, product_id) DO UPDATE SET state = 'held' WHERE r.state = 'released'
    RETURNING product_id, quantity
), locked AS (
    SELECT s.product_id, c.quantity, s.reserved, s.on_hand - s.reserved AS free
    FROM orders_stock s JOIN claimed c ON c.product_id = s.product_id
    ORDER BY s.product_id FOR NO KEY UPDATE OF s
), taken AS (
    UPDATE orders_stock s SET reserved = l.reserved + l.quantity
    FROM locked l WHERE s.product_id = l.product_id AND l.free >= l.quantity
    RETURNING s.product_id, l.quantity
), written AS (
    INSERT INTO orders_stockmovement (product_id, on_hand, reserved, reason, order_id)
    SELECT product_id, 0, quantity, 'reserved', %s FROM taken
)
SELECT c.product_id, coalesce(l.free, 0)
FROM claimed c LEFT JOIN locked l ON l.product_id = c.product_id
WHERE c.product_id NOT IN (SELECT product_id FROM taken)
"""

SETTLE = """
WITH settled AS (
    UPDATE orders_reservation SET state = %s WHERE order_id = %s AND state = 'held'
    RETURNING product_id, quantity
), locked AS (
    SELECT s.product_id, w.quantity, s.reserved, s.on_hand
    FROM orders_stock s JOIN settled w ON w.product_id = s.product_id
    ORDER BY s.product_id FOR NO KEY UPDATE OF s
), given AS (
    UPDATE orders_stock s SET reserved = l.reserved - l.quantity, on_hand = l.on_hand - %s * l.quantity
    FROM locked l WHERE s.product_id = l.product_id
    RETURNING s.product_id, l.quantity
)
INSERT INTO orders_stockmovement (product_id, on_hand, reserved, reason, order_id)
SELECT product_id, - %s * quantity, - quantity, %s, %s FROM given
"""

RESTOCK = """
WITH given AS (
    SELECT product_id, quantity FROM unnest(%s::bigint[], %s::int[]) AS g (product_id, quantity)
), locked AS (
    SELECT s.product_id, g.quantity, s.on_hand
    FROM orders_stock s JOIN given g ON g.product_id = s.product_id
    ORDER BY s.product_id FOR NO KEY UPDATE OF s
), put AS (
    UPDATE orders_stock s SET on_hand = l.on_hand + l.quantity
    FROM locked l WHERE s.product_id = l.product_id
    RETURNING s.product_id, l.quantity
)
INSERT INTO orders_stockmovement (product_id, on_hand, reserved, reason, order_id)
SELECT product_id, quantity, 0, 'returned', %s FROM put
"""

CHANGE = """
WITH changed AS (
    UPDATE orders_stock SET on_hand = on_hand + %s
    WHERE product_id = %s AND on_hand = coalesce(%s, on_hand)
    RETURNING product_id
)
INSERT INTO orders_stockmovement (product_id, on_hand, reserved, reason)
SELECT product_id, %s, 0, %s FROM changed
"""


def reserve(order: Order) -> None:
    """Hold stock for every line that holds none; in the caller's transaction, as its last statement.

    Raises OutOfStock, naming each SKU that is short: the caller's transaction must then be rolled back.
    """
    with connection.cursor() as cursor:
        cursor.execute(RESERVE, [order.pk, order.pk])
        short: dict[int, int] = dict(cursor.fetchall())
    if short:
        lines = OrderLine.objects.filter(order=order, product_id__in=short)
        raise OutOfStock({line.sku: describe_shortage(short[line.product_id]) for line in lines})


def describe_shortage(free: int) -> str:
    return f"Only {free} left." if free > 0 else "Sold out."


@transaction.atomic
def release(order_id: int) -> int:
    """Give an unpaid or cancelled order's stock back; returns the number of products, 0 if there was nothing to do.

    An order that has been reopened meanwhile keeps its stock.
    """
    order = locks.lock_order(order_id)
    if order.state not in GIVES_STOCK_BACK:
        return 0
    released = _settle(order_id, ReservationState.RELEASED, goods_leave=False)
    if released:
        OrderLog.objects.create(order=order, event=OrderEvent.STOCK_RELEASED)
    return released


def commit(order_id: int) -> None:
    """Take the held goods of a paid order off the shelf, in the caller's transaction, under the order's lock.

    Raises StockNotHeld if a line has no stock to take: the caller's transaction must then be rolled back.
    """
    _settle(order_id, ReservationState.COMMITTED, goods_leave=True)
    lines = OrderLine.objects.filter(order_id=order_id).count()
    if Reservation.objects.filter(order_id=order_id, state="committed").count() != lines:
        raise StockNotHeld(f"order {order_id}")


def take_back(order_id: int) -> None:
    """Put what an order has taken off the shelf back, in the caller's transaction, under the order's lock."""
    taken = Reservation.objects.filter(order_id=order_id, state=ReservationState.COMMITTED)
    pieces = dict(taken.values_list("product_id", "quantity"))
    taken.update(state=ReservationState.RELEASED)
    restock(order_id, pieces)


def restock(order_id: int, pieces: Mapping[int, int]) -> None:
    """Put goods of the order that came back on the shelf, by product; in the caller's transaction, last."""
    with connection.cursor() as cursor:
        cursor.execute(RESTOCK, [list(pieces.keys()), list(pieces.values()), order_id])


def receive(product_id: int, quantity: int) -> None:
    """Put `quantity` pieces on the shelf, or take them off if negative; IntegrityError if reserved ones would go."""
    change_on_hand(product_id, quantity, MovementReason.RECEIVED)


def change_on_hand(product_id: int, by: int, reason: MovementReason, *, expected: int | None = None) -> bool:
    """Change what lies on the shelf, if as many lie there as `expected`; False if nothing changed.

    IntegrityError if fewer than the reserved pieces would be left.
    """
    if not by:
        return False
    with connection.cursor() as cursor:
        cursor.execute(CHANGE, [by, product_id, expected, by, reason.value])
        return bool(cursor.rowcount)


@transaction.atomic
def open_shelves(on_hand: Mapping[int, int]) -> None:
    """Give products their shelf, by pk, with so many pieces on it."""
    Stock.objects.bulk_create([Stock(product_id=pk, on_hand=pieces) for pk, pieces in on_hand.items()])
    StockMovement.objects.bulk_create(
        StockMovement(product_id=pk, on_hand=pieces, reserved=0, reason=MovementReason.OPENING)
        for pk, pieces in on_hand.items()
        if pieces
    )


def _settle(order_id: int, state: ReservationState, *, goods_leave: bool) -> int:
    leave = int(goods_leave)
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, [state.value, order_id, leave, leave, state.value, order_id])
        return int(cursor.rowcount)
