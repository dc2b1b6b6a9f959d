"""The job engine's part of the API."""

from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework import serializers
from rest_framework.permissions import BasePermission, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..ledger.counts import stats
from .metrics import exposition


class CountsSerializer(serializers.Serializer[dict[str, int]]):
    """Jobs by state; `delayed` waits for its time, `waiting` for a worker."""

    waiting = serializers.IntegerField()
    active = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    delayed = serializers.IntegerField()


class StatsSerializer(CountsSerializer):
    mode = serializers.CharField(help_text="WORKER_MODE; under none, jobs stay waiting")
    queues = serializers.DictField(child=CountsSerializer())


class StatsView(APIView):
    """How many jobs wait, run, are done: in total and per queue. For staff."""

    permission_classes = (IsAdminUser,)

    @extend_schema(responses=StatsSerializer)
    def get(self, request: Request) -> Response:
        total, queues = stats()
        by_queue = {name: counts._asdict() for name, counts in queues.items()}
        return Response({"mode": settings.WORKER_MODE, **total._asdict(), "queues": by_queue})


class HasMetricsToken(BasePermission):
    """The bearer of METRICS_TOKEN, where one is set."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        expected, given = settings.METRICS_TOKEN, request.headers.get("Authorization", "")
        return bool(expected) and compare_digest(given.encode(), f"Bearer {expected}".encode())


class MetricsView(APIView):
    """The engine's metrics in Prometheus' text format. For staff, and for the bearer of METRICS_TOKEN."""

    permission_classes = (IsAdminUser | HasMetricsToken,)
    throttle_classes = ()

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """The response is text whatever the request accepts; errors are JSON."""
        return super().perform_content_negotiation(request, force=True)
