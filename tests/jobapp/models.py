"""What the test jobs leave behind, for tests in other processes to see."""

from django.db import models
from django.db.models.functions import Now


class Run(models.Model):
    """One start of a test job, and whether it came to its end."""

    label = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    thread = models.CharField(max_length=100)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)


class Gate(models.Model):
    """An open gate lets jobs that wait for it go on."""

    name = models.CharField(max_length=100, primary_key=True)
