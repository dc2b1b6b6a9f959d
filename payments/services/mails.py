"""What customers are told about their money."""

from django.conf import settings

from notifications.services import send
from orders.money import format_rupees

from ..models import Refund


def send_refund_issued(refund_id: int) -> None:
    """Tell how much was given back for which order: one mail a refund. Why is between staff and books."""
    made = Refund.objects.select_related("payment__order").get(pk=refund_id)
    order = made.payment.order
    context = {
        "order_id": order.pk,
        "name": order.shipping_name,
        "amount": format_rupees(made.amount_paise),
        "shop": settings.SHOP_NAME,
    }
    send(kind="refund_issued", to=order.email, context=context, key=f"refund-issued-{refund_id}")
