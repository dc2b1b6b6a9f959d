"""The job engine's part of the API."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .selectors import stats


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
        return Response({"mode": settings.WORKER_MODE, **stats()})
