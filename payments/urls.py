"""Addresses under /api/."""

from django.urls import path, re_path

from . import views, webhook_views

urlpatterns = [
    path("orders/<int:order_id>/pay", views.Pay.as_view(), name="order-pay"),
    path("orders/<int:order_id>/cancel", views.Cancel.as_view(), name="order-cancel"),
    path("orders/<int:order_id>/payments", views.Payments.as_view(), name="order-payments"),
    path("payments/<int:payment_id>/confirm", views.Confirm.as_view(), name="payment-confirm"),
    re_path(r"^webhooks/(?P<provider>stripe|razorpay)$", webhook_views.receive, name="webhook"),
]
