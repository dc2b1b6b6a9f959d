"""Credit notes: what of an invoice was given back."""

from django.db import models
from django.db.models import Q

from ..money import Gst, format_rupees
from .invoice import Document, Invoice
from .order import OrderLine
from .returns import ReturnRequest


class CreditNote(Document):
    """One a refund, which the app above knows by its number, and one a return, however its money went back."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="credit_notes")
    refund_number = models.PositiveBigIntegerField("refund", null=True, blank=True, unique=True)
    return_request = models.OneToOneField(ReturnRequest, models.PROTECT, null=True, blank=True, related_name="note")
    amount_paise = models.BigIntegerField()
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = (
            models.CheckConstraint(name="credit_note_positive", condition=Q(amount_paise__gt=0)),
            models.CheckConstraint(
                name="credit_note_has_a_cause",
                condition=Q(refund_number__isnull=False) | Q(return_request__isnull=False),
            ),
        )
        default_permissions = ("view",)

    @property
    def amount(self) -> str:
        return format_rupees(self.amount_paise)


class CreditNoteLine(models.Model):
    """The part of a line of the invoice; the four amounts add up to it. `quantity` is 0 where no goods came back."""

    note = models.ForeignKey(CreditNote, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="credits")
    quantity = models.PositiveIntegerField(default=0)
    amount_paise = models.BigIntegerField()
    taxable_paise = models.BigIntegerField()
    cgst_paise = models.BigIntegerField()
    sgst_paise = models.BigIntegerField()
    igst_paise = models.BigIntegerField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("note", "line"), name="credit_line_once"),)
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{format_rupees(self.amount_paise)} of line {self.line_id}"

    @property
    def gst(self) -> Gst:
        return Gst(self.taxable_paise, self.cgst_paise, self.sgst_paise, self.igst_paise)
