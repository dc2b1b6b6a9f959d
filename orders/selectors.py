"""What is read of the shop, for views, mails and invoices. Nothing here writes or locks."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from queues.models import Job

from .models import (
    CreditNote,
    Invoice,
    Order,
    OrderLog,
    Product,
    Reservation,
    ReturnLine,
    ReturnRequest,
    ReviewItem,
    Stock,
    StockMovement,
)
from .states import (
    GIVES_STOCK_BACK,
    HOLDS_ORDER,
    NOT_PAID_IN_TIME,
    OrderEvent,
    OrderState,
    ReservationState,
    ReviewState,
)


def products_on_sale() -> QuerySet[Product]:
    """What can be ordered, with its stock."""
    return Product.objects.filter(is_active=True).select_related("stock").order_by("id")


def search_products(products: QuerySet[Product], words: str) -> QuerySet[Product]:
    """Those that have every word in their name, description, category or SKU."""
    for word in words.split()[:8]:
        products = products.filter(
            Q(name__icontains=word)
            | Q(description__icontains=word)
            | Q(category__icontains=word)
            | Q(sku__icontains=word)
        )
    return products


def orders_of(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Order]:
    """A customer's own orders, newest first."""
    return Order.objects.filter(customer_id=user.pk).order_by("-id")


def order_details(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Order]:
    """A customer's own orders with all that their page shows, except the jobs."""
    return orders_of(user).select_related("invoice", "shipment").prefetch_related("lines")


def jobs_of(order: Order) -> QuerySet[Job]:
    """The background jobs that are about the order, oldest first."""
    return Job.objects.filter(subject=f"order-{order.pk}").order_by("id")


def invoice_of(order: Order) -> Invoice | None:
    """The order's invoice, once its PDF can be read."""
    invoice: Invoice | None = getattr(order, "invoice", None)
    return invoice if invoice and invoice.pdf else None


def credit_notes_of(order: Order) -> QuerySet[CreditNote]:
    """The order's credit notes whose PDF can be read, oldest first."""
    return CreditNote.objects.filter(invoice__order=order).exclude(pdf="").order_by("pk")


def order_with_lines(order_id: int) -> Order:
    """Raises Order.DoesNotExist."""
    return Order.objects.prefetch_related("lines").get(pk=order_id)


def staff_addresses() -> list[str]:
    """Who is told about the shop's business: REPORT_RECIPIENTS, or all active staff."""
    staff = get_user_model().objects.filter(is_staff=True, is_active=True).order_by("pk")
    return list(settings.REPORT_RECIPIENTS) or list(staff.values_list("email", flat=True))


def stock_off_the_ledger() -> QuerySet[Stock]:
    """The stock rows that differ from the sums of their movements (`booked_on_hand`, `booked_reserved`)."""
    movements = StockMovement.objects.filter(product=OuterRef("pk")).order_by().values("product")
    sums = {
        f"booked_{column}": Coalesce(Subquery(movements.values(total=Sum(column))), 0)
        for column in ("on_hand", "reserved")
    }
    booked = Stock.objects.annotate(**sums).order_by("pk")
    return booked.exclude(on_hand=F("booked_on_hand"), reserved=F("booked_reserved"))


def forgotten_reservations(before: datetime) -> list[int]:
    """The orders that gave up their stock before then and hold some all the same."""
    held = Reservation.objects.filter(state=ReservationState.HELD, order__state__in=GIVES_STOCK_BACK)
    fresh = OrderLog.objects.filter(order=OuterRef("order"), at__gte=before)
    return list(held.exclude(Exists(fresh)).order_by("order").values_list("order", flat=True).distinct())


def returns_of(order: Order) -> QuerySet[ReturnRequest]:
    """An order's returns with their lines, the newest first."""
    return ReturnRequest.objects.filter(order=order).prefetch_related("lines__line").order_by("-pk")


def return_lines(return_id: int) -> QuerySet[ReturnLine]:
    """What is returned, with the lines of the order."""
    return ReturnLine.objects.filter(return_request=return_id).select_related("line").order_by("pk")


def is_held_back(order_id: int) -> bool:
    """Whether a review stands between the order and its shipping."""
    in_the_way = ReviewItem.objects.filter(order_id=order_id, kind__in=HOLDS_ORDER)
    return in_the_way.exclude(state=ReviewState.APPROVED).exists()


def cancelled_as_overdue(order_id: int) -> QuerySet[Order]:
    """The order, if its log says last of its cancellation that it was not paid in time."""
    reasons = OrderLog.objects.filter(order=OuterRef("pk"), event=OrderEvent.CANCELLED).order_by("-id")
    said_last = Order.objects.alias(why=Subquery(reasons.values("detail")[:1]))
    return said_last.filter(pk=order_id, state=OrderState.CANCELLED, why=NOT_PAID_IN_TIME)


def last_logged(order_id: int, event: OrderEvent) -> OrderLog:
    """The newest entry of that kind; raises OrderLog.DoesNotExist."""
    return OrderLog.objects.filter(order_id=order_id, event=event).latest("id")
