"""The API of those who send parcels off and carry them."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import BasePermission, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..models import Order
from ..serializers import ShipmentSerializer, ShipRequest, StatusReport
from ..services import shipping
from ..services.shipping import Parcel
from ..states import ShipmentStatus


class MayShip(IsAdminUser):
    """Staff with the permission to ship orders."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and request.user.has_perm("orders.ship_order")


class MayReport(BasePermission):
    """Staff, or a carrier's account, with the permission to report shipments."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("orders.report_shipment_status")


class Ship(APIView):
    """Send an order off."""

    permission_classes = (MayShip,)

    @extend_schema(request=ShipRequest, responses=ShipmentSerializer, operation_id="order_ship")
    def post(self, request: Request, pk: int) -> Response:
        """200, also for a repetition; 409 order_not_shippable, already_shipped, tracking_number_taken."""
        wish = ShipRequest(data=request.data)
        wish.is_valid(raise_exception=True)
        order = get_object_or_404(Order, pk=pk)
        return Response(ShipmentSerializer(shipping.ship(order.pk, Parcel(**wish.validated_data))).data)


class Deliver(APIView):
    """Say that an order has arrived."""

    permission_classes = (MayShip,)

    @extend_schema(request=None, responses=ShipmentSerializer, operation_id="order_deliver")
    def post(self, request: Request, pk: int) -> Response:
        """200, also for a repetition; 409 order_not_deliverable."""
        order = get_object_or_404(Order, pk=pk)
        shipping.deliver(order.pk)
        return Response(ShipmentSerializer(order.shipment).data)


class ReportStatus(APIView):
    """Where a parcel is, told by its carrier. Old news and repetitions do no harm."""

    permission_classes = (MayReport,)

    @extend_schema(request=StatusReport, responses={202: ShipmentSerializer}, operation_id="shipment_status")
    def post(self, request: Request) -> Response:
        """202: a job takes it over; 404 unknown_shipment."""
        told = StatusReport(data=request.data)
        told.is_valid(raise_exception=True)
        number, state = told.validated_data["tracking_number"], ShipmentStatus(told.validated_data["status"])
        return Response(ShipmentSerializer(shipping.report(number, state)).data, status=status.HTTP_202_ACCEPTED)
