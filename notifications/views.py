"""The API of webhooks, for staff: who is told what, and what became of it."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import DjangoModelPermissions, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .models import WebhookDelivery, WebhookEndpoint
from .serializers import DeliverySerializer, EndpointSerializer, RegisteredEndpoint
from .services import webhooks


class EndpointPermissions(DjangoModelPermissions):
    """Django's own permissions on endpoints; also to look."""

    perms_map = {**DjangoModelPermissions.perms_map, "GET": ["%(app_label)s.view_%(model_name)s"]}


class MayRedeliver(IsAdminUser):
    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and request.user.has_perm("notifications.redeliver_webhook")


class MayLook(IsAdminUser):
    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and request.user.has_perm("notifications.view_webhookdelivery")


class EndpointOff(APIException):
    """The endpoint is switched off; switch it on first."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "The endpoint is switched off; switch it on first."
    default_code = "endpoint_off"


class EndpointList(generics.ListCreateAPIView[WebhookEndpoint]):
    """The registered endpoints; POST registers one, and its answer alone shows the secret that signs."""

    permission_classes = (IsAdminUser, EndpointPermissions)
    queryset = WebhookEndpoint.objects.order_by("-id")

    def get_serializer_class(self) -> type[EndpointSerializer]:
        return RegisteredEndpoint if self.request.method == "POST" else EndpointSerializer


class EndpointPage(generics.RetrieveUpdateDestroyAPIView[WebhookEndpoint]):
    """One endpoint. Switched on again, its failures are forgotten."""

    permission_classes = (IsAdminUser, EndpointPermissions)
    serializer_class = EndpointSerializer
    queryset = WebhookEndpoint.objects.order_by("-id")

    def perform_update(self, serializer: Any) -> None:
        was_active = serializer.instance.is_active
        endpoint = serializer.save()
        if endpoint.is_active and not was_active:
            webhooks.switch_on(endpoint.pk)
            endpoint.refresh_from_db()


class DeliveryList(generics.ListAPIView[WebhookDelivery]):
    """What was sent to an endpoint, newest first."""

    permission_classes = (MayLook,)
    serializer_class = DeliverySerializer
    queryset = WebhookDelivery.objects.none()

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        return WebhookDelivery.objects.filter(endpoint_id=self.kwargs["pk"]).order_by("-id")


class Redeliver(APIView):
    """Send a webhook again."""

    permission_classes = (MayRedeliver,)

    @extend_schema(request=None, responses={202: DeliverySerializer}, operation_id="webhook_redeliver")
    def post(self, request: Request, pk: int) -> Response:
        """202: a job sends it; 409 endpoint_off."""
        delivery = get_object_or_404(WebhookDelivery, pk=pk)
        if not webhooks.redeliver(delivery.pk):
            raise EndpointOff
        delivery.refresh_from_db()
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)
