from django.urls import path

from .views import MetricsView, StatsView

app_name = "queues"
urlpatterns = [
    path("stats", StatsView.as_view(), name="stats"),
    path("metrics", MetricsView.as_view(), name="metrics"),
]
