"""Below /api/."""

from django.urls import path

from . import views

urlpatterns = [
    path("webhooks/out", views.EndpointList.as_view(), name="webhook-list"),
    path("webhooks/out/<int:pk>", views.EndpointPage.as_view(), name="webhook-detail"),
    path("webhooks/out/<int:pk>/deliveries", views.DeliveryList.as_view(), name="webhook-deliveries"),
    path("webhooks/out/deliveries/<int:pk>/redeliver", views.Redeliver.as_view(), name="webhook-redeliver"),
]
