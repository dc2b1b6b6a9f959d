"""Numbers of tax documents: without gaps, a series for each kind and financial year, at most 16 characters (rule 46(b)
of the CGST Rules).

A number is given in the transaction that writes its document, so that one that is rolled back gives it to the next.
A new kind of document takes a prefix of its own, of at most three letters: `next_number(CREDIT_NOTE, now)`.
"""

from datetime import datetime

from django.db import connection
from django.utils import timezone

INVOICE, CREDIT_NOTE = "BM", "BMC"
LONGEST = 16

COUNT_UP = """
INSERT INTO orders_documentseries AS s (prefix, year, last_number) VALUES (%s, %s, 1)
ON CONFLICT (prefix, year) DO UPDATE SET last_number = s.last_number + 1
RETURNING last_number
"""


def next_number(prefix: str, at: datetime) -> str:
    """The next of the series, such as BM/26-27/000001; its row stays locked until the caller's transaction ends.

    Raises RuntimeError outside a transaction and ValueError for a number that is too long.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a number is given in the transaction that writes its document")
    year = financial_year(at)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_UP, [prefix, year])
        number = f"{prefix}/{year[2:]}/{cursor.fetchone()[0]:06d}"
    if len(number) > LONGEST:
        raise ValueError(f"{number} has more than {LONGEST} characters")
    return number


def financial_year(at: datetime) -> str:
    """The Indian financial year (April to March, Indian time) of an aware time: "2026-27"."""
    day = timezone.localtime(at)
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{(first + 1) % 100:02d}"
