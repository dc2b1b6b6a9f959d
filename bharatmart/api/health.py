"""Is this process alive, and can it serve? For load balancers and orchestrators; nothing is throttled here."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .errors import Unavailable

STATUS = inline_serializer("Health", {"status": serializers.CharField()})
stopping = False
"""Set by deploy/gunicorn.conf.py once this process is told to stop."""
_migrated = False


class NotReady(Unavailable):
    """This process cannot serve requests yet."""

    default_detail = __doc__
    default_code = "not_ready"

    def __init__(self, **fields: str) -> None:
        super().__init__()
        self.fields = fields


class Probe(APIView):
    """What both probes have in common: no log-in, no counting, no connection that is not needed."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()


class Health(Probe):
    @extend_schema(operation_id="health", tags=["health"], responses=STATUS, auth=[])
    def get(self, request: Request) -> Response:
        """The process answers. Depends on nothing."""
        return Response({"status": "ok"})


class Ready(Probe):
    @extend_schema(operation_id="health_ready", tags=["health"], responses=STATUS, auth=[])
    def get(self, request: Request) -> Response:
        """PostgreSQL answers and has every migration; else, and while this process is stopping, 503.

        Redis is not asked: requests do without it.
        """
        if stopping:
            raise NotReady(process="is stopping")
        try:
            check_database()
        except DatabaseError as error:
            raise NotReady(database=f"does not answer ({type(error).__name__})") from error
        return Response({"status": "ok"})


def check_database() -> None:
    """Raises DatabaseError or NotReady. Migrations are compared until they are found complete, once a process."""
    global _migrated  # noqa: PLW0603
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if not _migrated:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            raise NotReady(migrations=f"{len(plan)} not applied")
        _migrated = True
