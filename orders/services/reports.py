"""The report on a day: made once, then mailed once to everybody who gets it."""

import csv
import io
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from notifications.services import send

from .. import events, selectors
from ..models import DailyFigures, DailyReport, DailySales
from ..money import format_rupees

SHOWN_DAYS = 7
SHOWN_PRODUCTS = 10
WIDEST_BAR = 24
"""In characters, of the chart as text."""


@transaction.atomic
def make_daily_report(day: date | None = None) -> int | None:
    """Make the report on that day (else yesterday) and have it mailed; None if it was made before."""
    day = day or timezone.localdate() - timedelta(days=1)
    fields = {"context": _context(day), "csv": _csv(day)}
    report, new = DailyReport.objects.get_or_create(day=day, defaults=fields)
    if not new:
        return None
    events.daily_report_made.emit(report_id=report.pk)
    return report.pk


def mail_daily_report(report_id: int) -> None:
    """Send it to everybody once; one whose server refuses does not keep it from the others."""
    report, errors = DailyReport.objects.get(pk=report_id), []
    for address in selectors.staff_addresses():
        try:
            _mail(report, address)
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _mail(report: DailyReport, address: str) -> None:
    def attachments() -> list[tuple[str, bytes, str]]:
        return [(f"sales-{report.day}.csv", report.csv.encode("utf-8-sig"), "text/csv")]

    key = f"daily-report-{report.day}-{address}"[:200]
    send(kind="daily_report", to=address, context=report.context, key=key, attachments=attachments)


def _context(day: date) -> dict[str, Any]:
    figures = DailyFigures.objects.filter(day=day).first() or DailyFigures(day=day)
    sold = DailySales.objects.filter(day=day)
    return {
        "shop": settings.SHOP_NAME,
        "day": f"{day:%a %d %b %Y}",
        "orders": figures.orders,
        "revenue": format_rupees(figures.revenue_paise),
        "cancelled": figures.cancelled,
        "refunds": figures.refunds,
        "refunded": format_rupees(figures.refunded_paise),
        "bars": _bars(day),
        "products": [
            {"name": sale.product.name, "units": sale.units, "revenue": format_rupees(sale.revenue_paise)}
            for sale in sold.select_related("product").order_by("-revenue_paise", "product")[:SHOWN_PRODUCTS]
        ],
        "categories": [
            {"name": row["category"], "units": row["sold"], "revenue": format_rupees(row["earned"])}
            for row in sold.values("category")
            .annotate(sold=Sum("units"), earned=Sum("revenue_paise"))
            .order_by("-earned", "category")
        ],
    }


def _bars(last: date) -> list[dict[str, Any]]:
    """The revenue of a week up to that day; `width` is percent of the best day, `text` the bar in characters."""
    days = [last - timedelta(days=back) for back in reversed(range(SHOWN_DAYS))]
    revenue = dict(DailyFigures.objects.filter(day__in=days).values_list("day", "revenue_paise"))
    best = max(revenue.values(), default=0) or 1
    return [
        {
            "day": f"{day:%a %d}",
            "revenue": format_rupees(earned),
            "width": -(-100 * earned // best),
            "text": "#" * (-(-WIDEST_BAR * earned // best)),
        }
        for day, earned in ((day, revenue.get(day, 0)) for day in days)
    ]


def _csv(day: date) -> str:
    """Every product that was sold; amounts in paise, as whole numbers that no program rounds."""
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(("day", "sku", "product", "category", "units", "revenue_paise"))
    for sale in DailySales.objects.filter(day=day).select_related("product").order_by("product__sku"):
        words = (sale.product.sku, sale.product.name, sale.category)
        table.writerow((day.isoformat(), *map(_as_text, words), sale.units, sale.revenue_paise))
    return file.getvalue()


def _as_text(word: str) -> str:
    """A spreadsheet would run what begins like a formula."""
    return f"'{word}" if word.startswith(("=", "+", "-", "@", "\t", "\r")) else word
