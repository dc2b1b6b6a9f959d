"""Tax invoices and the series their numbers come from."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from .order import Order


class InvoiceSeries(models.Model):
    """The last number given in a financial year (April to March, Indian time); its row is the lock of the series."""

    year = models.CharField(
        "financial year", max_length=7, primary_key=True, validators=[RegexValidator(r"\A[0-9]{4}-[0-9]{2}\Z")]
    )
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "invoice series"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.year


class Invoice(models.Model):
    """The tax invoice of a paid order. `pdf` is empty between the giving of the number and the rendering."""

    order = models.OneToOneField(Order, models.PROTECT, related_name="invoice")
    number = models.CharField(max_length=20, unique=True, help_text="such as BM/2026-27/000001")
    issued_at = models.DateTimeField(default=timezone.now)
    pdf = models.FileField("PDF", upload_to="invoices/", max_length=200, blank=True, default="")

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.number

    @property
    def file_name(self) -> str:
        """The number as the name of a file: BM-2026-27-000001.pdf."""
        return self.number.replace("/", "-") + ".pdf"
