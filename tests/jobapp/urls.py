"""A web process of the test jobs: one page that enqueues, one that does nothing; both tell who answered."""

import os
import threading

from django.http import HttpRequest, HttpResponse
from django.urls import path

from .jobs import record


def whoami(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{os.getpid()} {threading.current_thread().name}")


def enqueue(request: HttpRequest) -> HttpResponse:
    record.enqueue(label=request.GET["label"])
    return whoami(request)


urlpatterns = [path("whoami", whoami), path("enqueue", enqueue)]
