"""Refunds of payments. Amounts are integer paise."""

from django.db import models
from django.db.models import Q

from ..states import RefundState
from .keys import Keyed, new_refund_key
from .payment import Payment


class Refund(Keyed):
    """Money to be given back. Until it has failed, its amount counts into the payment's refunded_paise."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount_paise = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=RefundState, default=RefundState.REQUESTED)
    reason = models.CharField(max_length=255)
    idempotency_key = models.CharField(max_length=255, unique=True, default=new_refund_key)
    gateway_reference = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        default_permissions = ("view", "add")
        constraints = (
            models.CheckConstraint(condition=Q(state__in=RefundState.values), name="refund_state_known"),
            models.CheckConstraint(condition=Q(amount_paise__gt=0), name="refund_amount_positive"),
        )
        indexes = (
            models.Index(
                fields=["gateway_reference"], name="refund_gateway_reference", condition=~Q(gateway_reference="")
            ),
        )

    def __str__(self) -> str:
        return f"refund {self.pk} of payment {self.payment_id}"
