"""Webhooks: verified at the door, kept, and answered at once; a job asks the provider what it is about.

An event is a hint, never a proof: it may come late, twice, in any order, or not at all.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from queues import Event

from ..errors import BadWebhook
from ..events import razorpay_event_received, stripe_event_received
from ..gateways.signatures import is_from_razorpay, is_from_stripe
from ..models import Payment, ProviderEvent, Refund
from ..states import ProviderEventState
from . import questions, refunds
from .provider_events import HINTS, Hint, names_in
from .review import ask_for_review

RECEIVED: dict[str, Event] = {"stripe": stripe_event_received, "razorpay": razorpay_event_received}
KEPT = timedelta(days=30)
INSERT = """
INSERT INTO payments_providerevent (provider, event_id, kind, "references", state, received_at)
VALUES (%s, %s, %s, %s, 'received', now()) ON CONFLICT (provider, event_id) DO NOTHING RETURNING id
"""


def receive(provider: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Keep a verified event and its job, in one transaction; False for one that is known. Raises BadWebhook."""
    _verify(provider, body, headers)
    event = _parse(body)
    event_id, kind = _identity(provider, event, body, headers)
    with transaction.atomic():
        row = [provider, event_id, kind, json.dumps(names_in(provider, event))]
        with connection.cursor() as cursor:
            cursor.execute(INSERT, row)
            fresh = cursor.fetchone()
        if fresh:
            RECEIVED[provider].emit(provider_event_id=fresh[0])
    return fresh is not None


def apply(provider_event_id: int) -> None:
    """Ask about what the event names, once. Raises Snooze while the provider does not answer."""
    event = ProviderEvent.objects.get(pk=provider_event_id)
    if event.state != ProviderEventState.RECEIVED:
        return
    hint = HINTS[event.provider].get(event.kind)
    state = ProviderEventState.UNKNOWN if hint is None else _follow(event, hint)
    ProviderEvent.objects.filter(pk=event.pk, state=ProviderEventState.RECEIVED).update(
        state=state, applied_at=timezone.now()
    )


def _follow(event: ProviderEvent, hint: Hint) -> ProviderEventState:
    payment, refund = _payment_of(event), _refund_of(event)
    if hint == Hint.REFUND and refund:
        refunds.check(refund.pk)
    elif payment and hint == Hint.DISPUTE:
        with transaction.atomic():
            ask_for_review(payment, f"dispute: {event.kind}")
    elif payment is None or not _ask(payment, event.references.get("intent", "")):
        return ProviderEventState.UNMATCHED
    elif hint == Hint.REFUND:
        with transaction.atomic():
            ask_for_review(payment, f"refunded elsewhere: {event.references.get('refund', event.kind)}")
    return ProviderEventState.APPLIED


def _ask(payment: Payment, reference: str) -> bool:
    """About the payment's own intent, or another that bears its name."""
    known = payment.intent_reference
    if known and reference and reference != known:
        return questions.check_other(payment.pk, reference)
    return questions.check(payment.pk)


def prune() -> int:
    """Delete the events that were dealt with a month ago; how many. A repetition so late would be asked about again."""
    old = ProviderEvent.objects.filter(received_at__lt=timezone.now() - KEPT)
    return old.exclude(state=ProviderEventState.RECEIVED).delete()[0]


def _payment_of(event: ProviderEvent) -> Payment | None:
    """By our own name for it or the provider's; those of another provider are none of its business."""
    named = Payment.objects.filter(gateway=event.provider).order_by("pk")
    ours, theirs = event.references.get("name", ""), event.references.get("intent", "")
    by_name = named.filter(idempotency_key=ours).first() if ours else None
    return by_name or (named.filter(intent_reference=theirs).first() if theirs else None)


def _refund_of(event: ProviderEvent) -> Refund | None:
    made = Refund.objects.filter(payment__gateway=event.provider)
    ours, theirs = event.references.get("refund_name", ""), event.references.get("refund", "")
    by_name = made.filter(idempotency_key=ours).first() if ours else None
    return by_name or (made.filter(gateway_reference=theirs).first() if theirs else None)


def _verify(provider: str, body: bytes, headers: Mapping[str, str]) -> None:
    if provider == "stripe":
        genuine = is_from_stripe(body, headers.get("Stripe-Signature", ""), settings.STRIPE_WEBHOOK_SECRETS)
    else:
        genuine = is_from_razorpay(body, headers.get("X-Razorpay-Signature", ""), settings.RAZORPAY_WEBHOOK_SECRETS)
    if not genuine:
        raise BadWebhook("The signature does not fit.")


def _parse(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise BadWebhook("The body is not a JSON object.")
    return event


def _identity(provider: str, event: dict[str, Any], body: bytes, headers: Mapping[str, str]) -> tuple[str, str]:
    """What the event is called, and its kind. Razorpay's name is in a header, or else the body stands for it."""
    if provider == "stripe":
        event_id, kind = event.get("id"), event.get("type")
    else:
        event_id = headers.get("X-Razorpay-Event-Id") or hashlib.sha256(body).hexdigest()
        kind = event.get("event")
    for value, most in ((event_id, 255), (kind, 100)):
        if not (isinstance(value, str) and 0 < len(value) <= most and value.isprintable()):
            raise BadWebhook("The event has no proper id and kind.")
    return str(event_id), str(kind)
