"""Tax invoices, and the series that numbers of documents come from."""

from django.core.files.storage import Storage, storages
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from .order import Order


class DocumentSeries(models.Model):
    """The last number given to a kind of document in a financial year (April to March, Indian time).

    Its row is the lock of the series; `services/numbering.py` counts it up.
    """

    prefix = models.CharField(max_length=3, help_text="BM: invoices, BMC: credit notes")
    year = models.CharField("financial year", max_length=7, validators=[RegexValidator(r"\A[0-9]{4}-[0-9]{2}\Z")])
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "document series"
        constraints = (models.UniqueConstraint(fields=("prefix", "year"), name="series_of_kind_and_year"),)
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.prefix} {self.year}"


def papers() -> Storage:
    """Where their files lie: written over under a name that says what stands in them (`services/documents.py`)."""
    return storages["papers"]


class Document(models.Model):
    """A numbered paper. `pdf` is empty between the giving of the number and the rendering."""

    number = models.CharField(max_length=20, unique=True, help_text="such as BM/26-27/000001")
    issued_at = models.DateTimeField(default=timezone.now)
    pdf = models.FileField("PDF", storage=papers, upload_to="invoices/", max_length=200, blank=True, default="")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number

    @property
    def stem(self) -> str:
        """The number as a file may be named: BM-26-27-000001."""
        return self.number.replace("/", "-")

    @property
    def file_name(self) -> str:
        return f"{self.stem}.pdf"


class Invoice(Document):
    """The tax invoice of a paid order."""

    order = models.OneToOneField(Order, models.PROTECT, related_name="invoice")

    class Meta:
        default_permissions = ("view",)
