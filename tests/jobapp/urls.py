"""A web process of the test jobs: pages that enqueue, do nothing or take long; each answers with its process."""

import os
import threading
import time

from django.http import HttpRequest, HttpResponse
from django.urls import path

from .jobs import record
from .models import Gate, Run


def whoami(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{os.getpid()} {threading.current_thread().name}")


def enqueue(request: HttpRequest) -> HttpResponse:
    record.enqueue(label=request.GET["label"])
    return whoami(request)


def hold(request: HttpRequest) -> HttpResponse:
    """Answer when the gate is open; its run shows that it has begun."""
    Run.objects.create(label="held", pid=os.getpid(), thread=threading.current_thread().name)
    while not Gate.objects.filter(name=request.GET["gate"]).exists():
        time.sleep(0.05)
    return whoami(request)


urlpatterns = [path("whoami", whoami), path("enqueue", enqueue), path("hold", hold)]
