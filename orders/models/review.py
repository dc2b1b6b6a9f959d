"""What a person has to decide about an order."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..states import ReviewKind, ReviewState
from .order import Order
from .returns import ReturnRequest


class ReviewItem(models.Model):
    """One matter to decide, once. `services/review.py` alone writes it; `payment_number` is of the app above."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="reviews")
    kind = models.CharField(max_length=20, choices=ReviewKind.choices)
    key = models.CharField(max_length=200, unique=True, help_text="the same matter opens one review")
    payment_number = models.PositiveBigIntegerField("payment", null=True, blank=True)
    return_request = models.OneToOneField(ReturnRequest, models.PROTECT, null=True, blank=True, related_name="review")
    reasons = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=ReviewState.choices, default=ReviewState.OPEN)
    opened_at = models.DateTimeField(default=timezone.now)
    deadline_at = models.DateTimeField(null=True, blank=True, help_text="then the money that it holds is given up")
    alarmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "review"
        constraints = (
            models.CheckConstraint(name="review_kind_known", condition=Q(kind__in=ReviewKind.values)),
            models.CheckConstraint(name="review_state_known", condition=Q(state__in=ReviewState.values)),
            models.CheckConstraint(
                name="review_decided_at_when_decided",
                condition=Q(state=ReviewState.OPEN, decided_at=None)
                | (~Q(state=ReviewState.OPEN) & Q(decided_at__isnull=False)),
            ),
        )
        indexes = (models.Index(fields=("deadline_at", "id"), name="review_open", condition=Q(state=ReviewState.OPEN)),)
        default_permissions = ("view",)
        permissions = (("decide_review", "Can approve and reject reviews"),)

    def __str__(self) -> str:
        return f"review {self.pk}"

    @property
    def why(self) -> str:
        """The reasons in a line."""
        return "; ".join(str(reason) for reason in self.reasons)
