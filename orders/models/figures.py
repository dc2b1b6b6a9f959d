"""What the shop sold, counted day by day (Indian days). `services/analytics.py` alone writes these rows."""

from django.db import models
from django.db.models.functions import Now

from ..states import CountedKind
from .catalogue import Product
from .order import Order


class Counted(models.Model):
    """That something was counted: a row for each fact, so that none is counted twice."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=CountedKind.choices)
    reference = models.CharField(max_length=60, blank=True, default="", help_text="which refund or return")
    day = models.DateField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("order", "kind", "reference"), name="counted_once"),)
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.day}"


class DailyFigures(models.Model):
    """One day of the whole shop. `orders` and `revenue_paise` are of orders paid that day."""

    day = models.DateField(primary_key=True)
    orders = models.PositiveIntegerField(default=0)
    revenue_paise = models.BigIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    refunds = models.PositiveIntegerField(default=0)
    refunded_paise = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = "daily figures"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.day}"


class DailySales(models.Model):
    """One product on one day; its category is that of the day it was counted."""

    day = models.DateField()
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    category = models.CharField(max_length=60)
    units = models.PositiveIntegerField()
    revenue_paise = models.BigIntegerField()

    class Meta:
        verbose_name = verbose_name_plural = "daily sales"
        constraints = (models.UniqueConstraint(fields=("day", "product"), name="sales_once_per_day"),)
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.day} {self.product_id}"


class DailyReport(models.Model):
    """The report on a day as it was mailed: one a day, whatever comes later."""

    day = models.DateField(unique=True)
    context = models.JSONField(help_text="what the mail shows")
    csv = models.TextField("CSV")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"report on {self.day}"
