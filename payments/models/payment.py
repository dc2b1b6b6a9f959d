"""Payments and their append-only history. Amounts are integer paise."""

from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from ..states import HAS_BEEN_SENT, OPEN, SOURCES, Ending, EventKind, PaymentState
from .keys import Keyed, new_payment_key

BESIDE = "beside-"
"""Begins the key of a payment that stands for money taken beside another one, under the same intent."""


class PaymentQuerySet(models.QuerySet["Payment"]):
    def open(self) -> Self:
        """Those whose outcome is not known yet."""
        return self.filter(state__in=OPEN)

    def advance(self, payment: "Payment", state: PaymentState, **facts: Any) -> bool:
        """Move one payment forward; False, and nothing changed, if its state does not lead there."""
        moved = self.filter(pk=payment.pk, state__in=SOURCES[state]).update(state=state, **facts)
        payment.refresh_from_db()
        return moved == 1


class Payment(Keyed):
    """One intent to take an order's money. Its row and key are committed before the gateway is called."""

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="payments")
    state = models.CharField(max_length=12, choices=PaymentState, default=PaymentState.CREATED)
    amount_paise = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="INR")
    captured_paise = models.BigIntegerField(default=0)
    refunded_paise = models.BigIntegerField(default=0, help_text="Given back, or promised by a refund under way.")
    gateway = models.CharField(max_length=20, default="simulated")
    intent_reference = models.CharField(max_length=255, blank=True, help_text="The gateway's name for the intent.")
    gateway_reference = models.CharField(max_length=255, blank=True, help_text="Its name for what can be refunded.")
    client_secret = models.CharField(max_length=255, blank=True, help_text="For the customer alone, while pending.")
    held = models.BooleanField(default=False, help_text="Authorize only: captured when a review lets it go.")
    ending = models.CharField(max_length=7, choices=Ending, blank=True, help_text="Given up by its customer, and then?")
    idempotency_key = models.CharField(max_length=255, unique=True, default=new_payment_key)
    payment_token = models.CharField(max_length=255, blank=True)
    reason = models.CharField(max_length=255, blank=True, help_text="Why it was declined or cancelled.")
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    reconciled_at = models.DateTimeField(null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["order"], condition=Q(state__in=OPEN), name="one_open_payment_per_order"),
            models.UniqueConstraint(
                fields=["order"], condition=Q(state=PaymentState.WAITING), name="one_waiting_payment_per_order"
            ),
            models.CheckConstraint(condition=Q(state__in=PaymentState.values), name="payment_state_known"),
            models.CheckConstraint(condition=Q(amount_paise__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=Q(state=PaymentState.CAPTURED, captured_paise__gt=0)
                | (~Q(state=PaymentState.CAPTURED) & Q(captured_paise=0)),
                name="payment_captured_has_amount",
            ),
            models.CheckConstraint(
                condition=Q(refunded_paise__gte=0, refunded_paise__lte=F("captured_paise")),
                name="payment_refunded_within_captured",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=HAS_BEEN_SENT) | Q(submitted_at__isnull=False),
                name="payment_submitted_has_time",
            ),
        )
        indexes = (
            models.Index(fields=["state", "-id"], name="payment_state"),
            models.Index(
                fields=["gateway_reference"], name="payment_gateway_reference", condition=~Q(gateway_reference="")
            ),
            models.Index(
                fields=["intent_reference"], name="payment_intent_reference", condition=~Q(intent_reference="")
            ),
            models.Index(fields=["submitted_at"], name="payment_submitted_at"),
        )
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"payment {self.pk} of order {self.order_id}"

    @property
    def refundable_paise(self) -> int:
        return self.captured_paise - self.refunded_paise


class PaymentEvent(models.Model):
    """One fact of a payment's life. Append-only: a database trigger refuses UPDATE and DELETE."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=EventKind)
    amount_paise = models.BigIntegerField(default=0)
    dedupe_key = models.CharField(max_length=600, unique=True, help_text="The same fact is written once.")
    at = models.DateTimeField(auto_now_add=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("pk",)
        default_permissions = ("view",)
        constraints = (models.CheckConstraint(condition=Q(amount_paise__gte=0), name="payment_event_amount"),)

    def __str__(self) -> str:
        return f"{self.kind} of payment {self.payment_id}"
