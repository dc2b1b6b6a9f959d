"""/api/auth/: allauth headless for browsers (session cookie, CSRF) and apps (X-Session-Token).

Only what is listed here is served. What needs a mail with a secret (password reset; change or verification of the
address, which are not served) has it made by a job at sending time.
"""

from allauth.headless.account import views as headless
from allauth.headless.base.views import ConfigView
from allauth.headless.constants import Client
from django.urls import URLPattern, include, path

from . import views

ENDPOINTS = {
    "config": ConfigView,
    "auth/signup": views.SignUp,
    "auth/login": headless.LoginView,
    "auth/session": headless.SessionView,
    "auth/reauthenticate": headless.ReauthenticateView,
    "auth/password/request": views.RequestPasswordReset,
    "auth/password/reset": headless.ResetPasswordView,
    "account/password/change": headless.ChangePasswordView,
}


def _served_to(client: Client) -> list[URLPattern]:
    return [
        path(route, views.json_checked(view.as_api_view(client=client)), name=route.rpartition("/")[2])
        for route, view in ENDPOINTS.items()
    ]


app_name = "accounts"
urlpatterns = [
    path("browser/v1/", include((_served_to(Client.BROWSER), "browser"))),
    path("app/v1/", include((_served_to(Client.APP), "app"))),
]
