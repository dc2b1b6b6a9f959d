"""The payments of an order over HTTP. Nothing here speaks to a gateway: jobs do."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders.models import Order
from orders.selectors import orders_of
from orders.states import OrderState

from .models import Payment
from .selectors import payments_of, payments_of_customer
from .serializers import ConfirmRequest, OrderStateSerializer, PaymentSerializer, PayRequest
from .services import collect, confirmation, expiry


class Pay(APIView):
    """Pay an order, or pay it again after a decline."""

    @extend_schema(request=PayRequest, responses={202: PaymentSerializer}, operation_id="order_pay")
    def post(self, request: Request, order_id: int) -> Response:
        """202: a job makes the payment, `payments` shows it; 400 gateway_not_configured; 409 payment_in_progress.

        One that waits for its customer is given up for one with another gateway or token, which waits meanwhile.
        """
        order = _own_order(request, order_id)
        wish = PayRequest(data=request.data)
        wish.is_valid(raise_exception=True)
        payment = collect.request_payment(order, **wish.validated_data)
        return Response(PaymentSerializer(payment).data, status=status.HTTP_202_ACCEPTED)


class Confirm(APIView):
    """The storefront says that the customer has paid at the gateway."""

    @extend_schema(request=ConfirmRequest, responses={202: PaymentSerializer}, operation_id="payment_confirm")
    def post(self, request: Request, payment_id: int) -> Response:
        """202: a job asks the gateway; 400 signature_mismatch; 409 payment_not_confirmable."""
        own = payments_of_customer(request.user)
        payment: Payment = get_object_or_404(own, pk=payment_id)
        told = ConfirmRequest(data=request.data)
        told.is_valid(raise_exception=True)
        confirmation.confirm(payment, **told.validated_data)
        return Response(PaymentSerializer(payment).data, status=status.HTTP_202_ACCEPTED)


class Cancel(APIView):
    """Cancel an unpaid order."""

    @extend_schema(
        request=None, responses={200: OrderStateSerializer, 202: OrderStateSerializer}, operation_id="order_cancel"
    )
    def post(self, request: Request, order_id: int) -> Response:
        """200, also for a repetition; 202: a job ends the payment first, unless it takes its money meanwhile.

        409 payment_in_progress, order_not_cancellable once it is paid.
        """
        order = expiry.cancel_by_customer(_own_order(request, order_id))
        done = order.state == OrderState.CANCELLED
        return Response(OrderStateSerializer(order).data, status.HTTP_200_OK if done else status.HTTP_202_ACCEPTED)


@extend_schema_view(get=extend_schema(operation_id="order_payments"))
class Payments(generics.ListAPIView[Payment]):
    """The payments of an order, the newest first."""

    serializer_class = PaymentSerializer

    def get_queryset(self) -> QuerySet[Payment]:
        if getattr(self, "swagger_fake_view", False):
            return Payment.objects.none()
        return payments_of(_own_order(self.request, self.kwargs["order_id"]).pk)


def _own_order(request: Request, order_id: int) -> Order:
    """The customer's own order; somebody else's does not exist for them."""
    order: Order = get_object_or_404(orders_of(request.user), pk=order_id)
    return order
