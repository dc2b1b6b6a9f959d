"""A payment gateway for development, demo and tests: a process of its own that speaks HTTP and keeps a book.

`python -m payments.simulator --port P --book FILE`; it needs nothing but the standard library.
"""
