from django.urls import path

from .views import StatsView

app_name = "queues"
urlpatterns = [path("stats", StatsView.as_view(), name="stats")]
