"""What is read of the shop, for views, mails and invoices. Nothing here writes or locks."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from queues.models import Job

from .models import Invoice, Order, OrderLog, Product
from .states import OrderEvent


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


def order_with_lines(order_id: int) -> Order:
    """Raises Order.DoesNotExist."""
    return Order.objects.prefetch_related("lines").get(pk=order_id)


def last_logged(order_id: int, event: OrderEvent) -> OrderLog:
    """The newest entry of that kind; raises OrderLog.DoesNotExist."""
    return OrderLog.objects.filter(order_id=order_id, event=event).latest("id")
