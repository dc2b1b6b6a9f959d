"""Parcels: sending an order off, and where its carrier says it is. Every step is safe to repeat."""

from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from .. import events, selectors
from ..errors import (
    AlreadyShipped,
    OrderNotDeliverable,
    OrderNotShippable,
    OrderUnderReview,
    TrackingNumberTaken,
    UnknownShipment,
)
from ..models import Order, Shipment
from ..states import OrderState, ShipmentStatus, statuses_before
from . import lifecycle


@dataclass(frozen=True)
class Parcel:
    """With whom an order leaves, and how to follow it."""

    carrier: str
    tracking_number: str
    tracking_url: str = ""


def ship(order_id: int, parcel: Parcel) -> Shipment:
    """processing -> shipped, and the customer is told. The same parcel again changes nothing.

    Raises OrderNotShippable, OrderUnderReview, AlreadyShipped (with another parcel) and TrackingNumberTaken.
    """
    try:
        with transaction.atomic():
            if lifecycle.mark_shipped(order_id, f"{parcel.carrier} {parcel.tracking_number}"):
                if selectors.is_held_back(order_id):
                    raise OrderUnderReview
                return Shipment.objects.create(order_id=order_id, **asdict(parcel))
    except IntegrityError:
        raise TrackingNumberTaken from None
    return _shipped_before(order_id, parcel)


def deliver(order_id: int) -> None:
    """shipped -> delivered; a repetition finds nothing to do. Raises OrderNotDeliverable."""
    if not _deliver(order_id) and not Order.objects.filter(pk=order_id, state=OrderState.DELIVERED).exists():
        raise OrderNotDeliverable


def report(tracking_number: str, status: ShipmentStatus) -> Shipment:
    """Have a job take over what a carrier says. Raises UnknownShipment."""
    shipment = Shipment.objects.filter(tracking_number=tracking_number).first()
    if shipment is None:
        raise UnknownShipment
    with transaction.atomic():
        events.shipment_reported.emit(order_id=shipment.order_id, shipment_id=shipment.pk, status=status.value)
    return shipment


@transaction.atomic
def update_status(shipment_id: int, status: str) -> bool:
    """Move the shipment on, and with it the order once it is delivered; False for news that is old or known."""
    known = ShipmentStatus(status)
    if known == ShipmentStatus.DELIVERED:
        return _deliver(Shipment.objects.get(pk=shipment_id).order_id)
    return _advance(known, pk=shipment_id)


@transaction.atomic
def _deliver(order_id: int) -> bool:
    """The order's row first, as locks.py says; then its parcel."""
    if not lifecycle.mark_delivered(order_id):
        return False
    return _advance(ShipmentStatus.DELIVERED, order_id=order_id)


def _advance(status: ShipmentStatus, **which: int) -> bool:
    behind = Shipment.objects.filter(**which, status__in=statuses_before(status))
    return bool(behind.update(status=status, status_at=timezone.now()))


def _shipped_before(order_id: int, parcel: Parcel) -> Shipment:
    shipment = Shipment.objects.filter(order_id=order_id).first()
    if shipment is None:
        raise OrderNotShippable
    if Parcel(shipment.carrier, shipment.tracking_number, shipment.tracking_url) != parcel:
        raise AlreadyShipped
    return shipment
