"""The shop's pages for its staff: fast with many rows, read-only wherever money or state is concerned."""

from . import catalogue, erp, figures, invoices, orders, returns, review, shipping, stock

__all__ = ["catalogue", "erp", "figures", "invoices", "orders", "returns", "review", "shipping", "stock"]
