"""Counters of the API; written by `limits.py`."""

from django.db import models


class Throttle(models.Model):
    """Requests of one caller in the running window. The table is UNLOGGED: it may be lost, not be slow."""

    key = models.CharField(max_length=200, primary_key=True)
    ends_at = models.BigIntegerField(help_text="end of the window, in seconds since 1970")
    count = models.IntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
