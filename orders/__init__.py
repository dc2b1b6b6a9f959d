"""The shop: catalogue, stock and reservations, orders, invoices."""
