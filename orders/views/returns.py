"""The API of returns: asked for by customers, received by staff."""

import json
from typing import Any

from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAdminUser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .. import selectors
from ..models import ReturnRequest
from ..return_serializers import CreditNoteSerializer, ReceiveRequest, ReturnSerializer, ReturnWish
from ..services import idempotency, returns
from .shop import idempotency_key_of

KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=True,
    description="A new value for each return; repeating a request with it within 24 hours asks once.",
)


class MayReceive(IsAdminUser):
    """Staff with the permission to receive returns."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and request.user.has_perm("orders.receive_return")


class Returns(APIView):
    """The returns of one of the caller's own orders."""

    @extend_schema(responses=ReturnSerializer(many=True), operation_id="order_returns")
    def get(self, request: Request, pk: int) -> Response:
        """The newest first."""
        order = get_object_or_404(selectors.orders_of(request.user), pk=pk)
        return Response(ReturnSerializer(selectors.returns_of(order), many=True).data)

    @extend_schema(request=ReturnWish, responses={201: ReturnSerializer}, parameters=[KEY], operation_id="order_return")
    def post(self, request: Request, pk: int) -> Response:
        """201, also for a repetition; 409 not_returnable, return_window_over, return_exceeds_order."""
        key = idempotency_key_of(request)
        wish = ReturnWish(data=request.data)
        wish.is_valid(raise_exception=True)
        answer = returns.request_return_once(
            key=key,
            body_hash=idempotency.hash_body({"return of order": pk, "body": request.data}),
            order=get_object_or_404(selectors.orders_of(request.user), pk=pk),
            wishes=[(line["sku"], line["quantity"]) for line in wish.validated_data["lines"]],
            reason=wish.validated_data["reason"],
            render=lambda made: JSONRenderer().render(ReturnSerializer(made).data).decode(),
        )
        return Response(json.loads(answer.body), status=answer.status)


class Receive(APIView):
    """Say that returned goods have come."""

    permission_classes = (MayReceive,)

    @extend_schema(request=ReceiveRequest, responses=ReturnSerializer, operation_id="return_receive")
    def post(self, request: Request, pk: int) -> Response:
        """200, also for a repetition; 409 return_not_expected."""
        told = ReceiveRequest(data=request.data)
        told.is_valid(raise_exception=True)
        wanted = get_object_or_404(ReturnRequest, pk=pk)
        damaged = {line["sku"]: line["quantity"] for line in told.validated_data["damaged"]}
        return Response(ReturnSerializer(returns.receive(wanted.pk, damaged, request.user)).data)


class CreditNotes(APIView):
    """The credit notes of one of the caller's own orders."""

    @extend_schema(responses=CreditNoteSerializer(many=True), operation_id="order_credit_notes")
    def get(self, request: Request, pk: int) -> Response:
        """The oldest first."""
        order = get_object_or_404(selectors.orders_of(request.user), pk=pk)
        notes = selectors.credit_notes_of(order).select_related("invoice")
        return Response(CreditNoteSerializer(notes, many=True).data)


class CreditNotePdf(APIView):
    """One of them, as a file."""

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY}, operation_id="order_credit_note")
    def get(self, request: Request, pk: int, note: int) -> FileResponse:
        """The PDF; 404 until it is issued."""
        order = get_object_or_404(selectors.orders_of(request.user), pk=pk)
        paper = get_object_or_404(selectors.credit_notes_of(order), pk=note)
        return FileResponse(paper.pdf.open("rb"), filename=paper.file_name, content_type="application/pdf")
