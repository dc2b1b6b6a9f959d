"""Below /api/."""

from django.urls import path

from .views import returns, shipping, shop

urlpatterns = [
    path("products", shop.ProductList.as_view(), name="product-list"),
    path("products/<str:sku>", shop.ProductDetail.as_view(), name="product-detail"),
    path("orders", shop.OrderList.as_view(), name="order-list"),
    path("orders/<int:pk>", shop.OrderPage.as_view(), name="order-detail"),
    path("orders/<int:pk>/invoice", shop.OrderInvoice.as_view(), name="order-invoice"),
    path("orders/<int:pk>/credit-notes", returns.CreditNotes.as_view(), name="order-credit-notes"),
    path("orders/<int:pk>/credit-notes/<int:note>", returns.CreditNotePdf.as_view(), name="order-credit-note"),
    path("orders/<int:pk>/returns", returns.Returns.as_view(), name="order-returns"),
    path("returns/<int:pk>/receive", returns.Receive.as_view(), name="return-receive"),
    path("orders/<int:pk>/ship", shipping.Ship.as_view(), name="order-ship"),
    path("orders/<int:pk>/deliver", shipping.Deliver.as_view(), name="order-deliver"),
    path("shipments/status", shipping.ReportStatus.as_view(), name="shipment-status"),
]
