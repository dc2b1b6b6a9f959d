"""Telling other programs: each event is written down for each endpoint, then sent until it is taken.

A receiver gets an event at least once, always with the same id and body, and in any order.
"""

import contextlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from queues import Cancel, Permanent, Retry

from .. import events
from ..channels import webhook
from ..errors import AddressRefused, SecretUnreadable
from ..models import WebhookDelivery, WebhookEndpoint
from ..sealing import is_current, seal
from ..signing import HEADER, sign
from ..states import DeliveryState
from . import mail

KEPT = timedelta(days=30)


def publish(event: str, data: dict[str, Any], *, source: str) -> list[int]:
    """Have every endpoint told that asked for this event; the ids of what was written. Once per endpoint and source."""
    return tell(WebhookEndpoint.objects.filter(is_active=True, events__contains=[event]), event, data, source)


@transaction.atomic
def tell(endpoints: Iterable[WebhookEndpoint], event: str, data: dict[str, Any], source: str) -> list[int]:
    """Have these endpoints told."""
    return [made.pk for endpoint in endpoints if (made := _write(endpoint, event, data, source))]


def _write(endpoint: WebhookEndpoint, event: str, data: dict[str, Any], source: str) -> WebhookDelivery | None:
    message_id = uuid4()
    told = {"id": str(message_id), "type": event, "created_at": timezone.now().isoformat(), "data": data}
    fields = {"event": event, "message_id": message_id, "body": json.dumps(told, ensure_ascii=False)}
    delivery, new = WebhookDelivery.objects.get_or_create(endpoint=endpoint, source=source, defaults=fields)
    if new:
        events.webhook_due.emit(delivery_id=delivery.pk)
    return delivery if new else None


def deliver(delivery_id: int) -> None:
    """Send it, unless it was taken. Raises queues.Cancel for an endpoint that is off, Permanent, Retry."""
    delivery = WebhookDelivery.objects.select_related("endpoint").filter(pk=delivery_id).first()
    if delivery is None or not delivery.endpoint.is_active:
        raise Cancel("the endpoint is switched off or gone")
    if delivery.state == DeliveryState.DELIVERED:
        return
    answer = _post(delivery)
    _note(delivery, answer)
    if answer.taken:
        return
    _switch_off_if_dead(delivery.endpoint)
    raise (Permanent if answer.hopeless else Retry)(answer.error or f"it answered {answer.status}")


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered, or why it could not."""

    status: int | None = None
    error: str = ""
    hopeless: bool = False

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def _post(delivery: WebhookDelivery) -> Answer:
    """Send it, with no transaction open."""
    body, endpoint = delivery.body.encode(), delivery.endpoint
    try:
        secret = endpoint.secret
    except SecretUnreadable as error:
        return Answer(error=f"{type(error).__name__}: {error.__doc__}", hopeless=True)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "BharatMart-Webhooks/1",
        "X-BharatMart-Event": delivery.event,
        "X-BharatMart-Delivery": str(delivery.message_id),
        HEADER: sign(secret, body, int(time.time())),
    }
    try:
        return Answer(webhook.post(endpoint.url, body, headers, settings.WEBHOOK_TIMEOUT))
    except AddressRefused as error:
        return Answer(error=f"refused: {error}", hopeless=True)
    except webhook.UNREACHABLE as error:
        return Answer(error=f"{type(error).__name__}: {error}")


@transaction.atomic
def _note(delivery: WebhookDelivery, answer: Answer) -> None:
    now = timezone.now()
    WebhookDelivery.objects.filter(pk=delivery.pk).exclude(state=DeliveryState.DELIVERED).update(
        state=DeliveryState.DELIVERED if answer.taken else DeliveryState.FAILED,
        attempts=F("attempts") + 1,
        status_code=answer.status,
        error=answer.error[:200],
        attempted_at=now,
        delivered_at=now if answer.taken else None,
    )
    endpoints = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id)
    if answer.taken:
        endpoints.filter(failing_since__isnull=False).update(failing_since=None)
    else:
        endpoints.filter(failing_since=None).update(failing_since=now)


@transaction.atomic
def _switch_off_if_dead(endpoint: WebhookEndpoint) -> None:
    """After WEBHOOK_PATIENCE of failures and no success it is switched off, and its contact is told, once."""
    now = timezone.now()
    dead = WebhookEndpoint.objects.filter(
        pk=endpoint.pk, is_active=True, failing_since__lt=now - settings.WEBHOOK_PATIENCE
    )
    if dead.update(is_active=False, switched_off_at=now):
        days = max(1, settings.WEBHOOK_PATIENCE.days)
        context = {"shop": settings.SHOP_NAME, "url": endpoint.url, "days": days}
        key = f"webhook-off-{endpoint.pk}-{now:%Y%m%dT%H%M%S%f}"
        mail.notify(kind="webhook_switched_off", to=endpoint.contact, context=context, key=key)


@transaction.atomic
def redeliver(delivery_id: int) -> bool:
    """Send it again, with a new budget of attempts, also if it was taken; False if its endpoint is off."""
    known = WebhookDelivery.objects.filter(pk=delivery_id, endpoint__is_active=True)
    if not known.update(state=DeliveryState.PENDING, delivered_at=None):
        return False
    events.webhook_due.emit(delivery_id=delivery_id)
    return True


def switch_on(endpoint_id: int) -> None:
    """Forget the failures; what comes from now on is sent."""
    WebhookEndpoint.objects.filter(pk=endpoint_id).update(
        is_active=True, failing_since=None, switched_off_at=None, jobs_told_until=timezone.now()
    )


def seal_anew() -> int:
    """Seal under SECRET_KEY what is sealed under one of its fallbacks; how many. What cannot be read stays as it is."""
    done = 0
    for endpoint in WebhookEndpoint.objects.order_by("pk"):
        if is_current(endpoint.sealed_secret):
            continue
        with contextlib.suppress(SecretUnreadable):
            same = WebhookEndpoint.objects.filter(pk=endpoint.pk, sealed_secret=endpoint.sealed_secret)
            done += same.update(sealed_secret=seal(endpoint.secret))
    return done


def prune(before: datetime | None = None) -> int:
    """Delete deliveries older than KEPT; how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=before or timezone.now() - KEPT)
    return old.delete()[0]
