"""The tables of the shop."""

from .catalogue import Product
from .credit_note import CreditNote, CreditNoteLine
from .erp import ErpDelivery
from .figures import Counted, DailyFigures, DailyReport, DailySales
from .idempotency import IdempotencyKey
from .invoice import DocumentSeries, Invoice
from .order import Order, OrderLine, OrderLog
from .returns import ReturnLine, ReturnRequest
from .review import ReviewItem
from .shipment import Shipment
from .stock import Reservation, Stock, StockMovement

__all__ = [
    "Counted",
    "CreditNote",
    "CreditNoteLine",
    "DailyFigures",
    "DailyReport",
    "DailySales",
    "DocumentSeries",
    "ErpDelivery",
    "IdempotencyKey",
    "Invoice",
    "Order",
    "OrderLine",
    "OrderLog",
    "Product",
    "Reservation",
    "ReturnLine",
    "ReturnRequest",
    "ReviewItem",
    "Shipment",
    "Stock",
    "StockMovement",
]
