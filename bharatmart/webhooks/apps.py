from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "bharatmart.webhooks"
    label = "webhooks"
