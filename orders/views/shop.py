"""The shop's API: products for everybody, orders for those who placed them."""

import json
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .. import selectors
from ..errors import IdempotencyKeyInvalid, IdempotencyKeyRequired
from ..filters import ProductFilter
from ..models import Order, Product
from ..serializers import OrderDetail, OrderRequest, OrderSummary, PlacedOrder, ProductSerializer
from ..services import idempotency, placement


class ProductList(generics.ListAPIView[Product]):
    """The products on sale, oldest first."""

    permission_classes = (AllowAny,)
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    queryset = selectors.products_on_sale()


class ProductDetail(generics.RetrieveAPIView[Product]):
    """One product, by its SKU."""

    permission_classes = (AllowAny,)
    serializer_class = ProductSerializer
    queryset = selectors.products_on_sale()
    lookup_field = "sku"


class OrderList(generics.ListAPIView[Order]):
    """The caller's own orders, newest first; POST places one."""

    serializer_class = OrderSummary
    queryset = Order.objects.none()

    def get_queryset(self) -> QuerySet[Order]:
        return selectors.orders_of(self.request.user)

    @extend_schema(
        request=OrderRequest,
        responses={201: PlacedOrder},
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                location=OpenApiParameter.HEADER,
                required=True,
                description="A new value for each order; repeating a request with it within 24 hours orders once.",
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Place an order: 201, also for a repetition; 409 out_of_stock; 422 idempotency_key_reused."""
        key = idempotency_key_of(request)
        wanted = OrderRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        answer = placement.place_order_once(
            key=key,
            body_hash=idempotency.hash_body(request.data),
            customer=request.user,  # type: ignore[arg-type]  # the default permission keeps strangers out
            lines=[(line["sku"], line["quantity"]) for line in wanted.validated_data["lines"]],
            shipping=wanted.validated_data["shipping"],
            payment_token=wanted.validated_data["payment_token"],
            render=lambda order: JSONRenderer().render(PlacedOrder(order).data).decode(),
        )
        body = json.loads(answer.body)
        return Response(body, status=answer.status, headers={"Location": body["links"]["self"]})


class OrderPage(generics.RetrieveAPIView[Order]):
    """One of the caller's own orders with its lines, links and jobs."""

    serializer_class = OrderDetail
    queryset = Order.objects.none()

    def get_queryset(self) -> QuerySet[Order]:
        return selectors.order_details(self.request.user)


class OrderInvoice(APIView):
    """The tax invoice of one of the caller's own orders."""

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> FileResponse:
        """The PDF; 404 until it is issued."""
        order = get_object_or_404(selectors.orders_of(request.user).select_related("invoice"), pk=pk)
        invoice = selectors.invoice_of(order)
        if invoice is None:
            raise Http404
        return FileResponse(invoice.pdf.open("rb"), filename=invoice.file_name, content_type="application/pdf")


def idempotency_key_of(request: Request) -> str:
    """The header's value; raises IdempotencyKeyRequired or IdempotencyKeyInvalid."""
    key: Any = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        raise IdempotencyKeyRequired
    if len(key) > 255 or not (key.isascii() and key.isprintable()):
        raise IdempotencyKeyInvalid
    return str(key)
