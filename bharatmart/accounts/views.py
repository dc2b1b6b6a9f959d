"""Sign-up and log-in: allauth's headless views, with our transaction around the sign-up."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.headless.account import views as headless
from allauth.headless.internal.restkit.response import ErrorResponse
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from bharatmart.api.errors import error_body
from bharatmart.api.parsers import read_json

from .forms import PasswordResetRequest

View = Callable[..., HttpResponse]


def json_checked(view: View) -> View:
    """Refuse a body that is no sound JSON before allauth, which would stumble over it."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.body:
                read_json(request.body)
        except ValueError as error:
            return JsonResponse(error_body(400, str(error), "parse_error"), status=400)
        return view(request, *args, **kwargs)

    return checked


class RequestPasswordReset(headless.RequestPasswordResetView):  # type: ignore[misc]
    """Ask for a mail with a key; the answer is the same whether there is such an account or not."""

    input_class = PasswordResetRequest


class SignUp(headless.SignupView):  # type: ignore[misc]
    """One transaction for the user, the address and the event; so a lost race leaves nothing behind."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                response: HttpResponse = super().post(request, *args, **kwargs)
        except IntegrityError:
            return self._email_taken(request)
        return response

    def _email_taken(self, request: HttpRequest) -> HttpResponse:
        """The form saw the address free, and another request took it meanwhile."""
        self.input.add_error("email", get_adapter().validation_error("email_taken"))
        response: HttpResponse = ErrorResponse(request, input=self.input, status=HTTPStatus.BAD_REQUEST)
        return response
