"""/api/: health, the schema and its page."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from .health import Health, Ready

urlpatterns = [
    path("health", Health.as_view(), name="health"),
    path("health/ready", Ready.as_view(), name="ready"),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
]
