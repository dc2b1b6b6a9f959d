"""The secrets of endpoints are encrypted where they lie."""

from django.db import migrations, models

import notifications.models.webhook
from notifications.sealing import seal, unseal


def seal_all(apps, schema_editor):
    for endpoint in apps.get_model("notifications", "WebhookEndpoint").objects.all():
        endpoint.sealed_secret = seal(endpoint.sealed_secret)
        endpoint.save(update_fields=["sealed_secret"])


def unseal_all(apps, schema_editor):
    for endpoint in apps.get_model("notifications", "WebhookEndpoint").objects.all():
        endpoint.sealed_secret = unseal(endpoint.sealed_secret)
        endpoint.save(update_fields=["sealed_secret"])


class Migration(migrations.Migration):
    dependencies = (("notifications", "0002_webhooks"),)
    operations = (
        migrations.RenameField("webhookendpoint", "secret", "sealed_secret"),
        migrations.AlterField(
            "webhookendpoint",
            "sealed_secret",
            models.CharField(
                default=notifications.models.webhook.make_sealed_secret, editable=False, max_length=300
            ),
        ),
        migrations.RunPython(seal_all, unseal_all),
    )
