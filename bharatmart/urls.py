"""Every address of the shop."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

admin.site.site_header = admin.site.site_title = "BharatMart"
admin.site.index_title = "Shop and jobs"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs")),
    path("admin/", admin.site.urls),
    path("api/", include("bharatmart.api.urls")),
    path("api/auth/", include("bharatmart.accounts.urls")),
    path("api/", include("orders.urls")),
    path("api/", include("notifications.urls")),
    path("api/", include("payments.urls")),
    path("api/queues/", include("queues.ops.urls")),
]
