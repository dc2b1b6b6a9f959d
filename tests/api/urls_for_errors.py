"""Routes that fail in every way a view can, beside the real ones."""

from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView


class OutOfStock(exceptions.APIException):
    """Not enough of this is left."""

    status_code = 409
    default_detail = __doc__
    default_code = "out_of_stock"

    def __init__(self, **fields: str) -> None:
        super().__init__()
        self.fields = fields


class Line(serializers.Serializer[Any]):
    quantity = serializers.IntegerField(min_value=1)


class Order(serializers.Serializer[Any]):
    lines = Line(many=True)


class Raising(APIView):
    permission_classes = (AllowAny,)
    throttle_classes = ()
    error: Exception = Exception()

    def get(self, request: Request) -> NoReturn:
        raise self.error

    def post(self, request: Request) -> NoReturn:
        Order(data=request.data).is_valid(raise_exception=True)
        raise self.error


def plain_view(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("a secret in the message")


def plain_view_without_database(request: HttpRequest) -> HttpResponse:
    raise OperationalError("connection to server at 10.0.0.7 failed")


ERRORS = {
    "missing": Http404("no such order: 7"),
    "denied": PermissionDenied("secret reason"),
    "stock": OutOfStock(TEA="3 left"),
    "bug": ZeroDivisionError("a secret in the message"),
    "database": OperationalError("connection to server at 10.0.0.7 failed"),
    "throttled": exceptions.Throttled(wait=7.2),
}

urlpatterns = [
    *[path(f"api/test/{name}", Raising.as_view(error=error)) for name, error in ERRORS.items()],
    path("api/test/plain", plain_view),
    path("api/test/plain-database", plain_view_without_database),
    path("", include("bharatmart.urls")),
]
