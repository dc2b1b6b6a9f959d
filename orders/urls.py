"""Below /api/."""

from django.urls import path

from . import views

urlpatterns = [
    path("products", views.ProductList.as_view(), name="product-list"),
    path("products/<str:sku>", views.ProductDetail.as_view(), name="product-detail"),
    path("orders", views.OrderList.as_view(), name="order-list"),
    path("orders/<int:pk>", views.OrderPage.as_view(), name="order-detail"),
    path("orders/<int:pk>/invoice", views.OrderInvoice.as_view(), name="order-invoice"),
]
